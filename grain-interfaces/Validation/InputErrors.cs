using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>
/// What is wrong with a request, collected as a tree that mirrors it. Its JSON is what Django REST framework gives:
/// <c>{"field": ["message"]}</c>, nested by path; problems of a whole object under <c>non_field_errors</c>; a list of values as an object
/// keyed by index, a list of objects as a list with <c>{}</c> for each valid item.
/// </summary>
[JsonConverter(typeof(InputErrorsConverter))]
public sealed class InputErrors
{
    /// <summary>Further problems of one request are not collected: an answer must stay small however bad the request is.</summary>
    public const int MaxProblems = 100;

    /// <summary>Key of problems that belong to no single field.</summary>
    public const string NonField = "non_field_errors";

    private readonly InputErrors root;
    private int total;
    private List<string>? messages;
    private Dictionary<string, InputErrors>? fields;
    private SortedDictionary<int, InputErrors>? items;
    private Dictionary<int, InputErrors>? redirects;

    public InputErrors() => root = this;

    private InputErrors(InputErrors root) => this.root = root;

    /// <summary>Whether this part of the request, or anything below it, has a problem.</summary>
    public bool Any => messages is not null || (fields?.Values.Any(f => f.Any) ?? false) || (items?.Values.Any(i => i.Any) ?? false);

    /// <summary>Whether as many problems were collected as are reported.</summary>
    public bool Full => root.total >= MaxProblems;

    public InputErrors Field(string name)
    {
        fields ??= new(StringComparer.Ordinal);
        return fields.TryGetValue(name, out var child) ? child : fields[name] = new(root);
    }

    /// <summary>What is told of an item from now on is told of another part of the request: where the client wrote what became the item.</summary>
    public void Redirect(int index, InputErrors to) => (redirects ??= [])[index] = to;

    public InputErrors Item(int index)
    {
        if (redirects?.TryGetValue(index, out var elsewhere) == true) return elsewhere;
        items ??= [];
        return items.TryGetValue(index, out var child) ? child : items[index] = new(root);
    }

    public void Add(string message)
    {
        if (Full || (messages?.Contains(message) ?? false)) return;
        root.total++;
        (messages ??= []).Add(message);
    }

    /// <summary>Adds a problem of the object as a whole, such as two fields that exclude each other.</summary>
    public void AddNonField(string message) => Field(NonField).Add(message);

    /// <exception cref="InvalidInputException">When there is a problem.</exception>
    public void ThrowIfAny()
    {
        if (Any) throw new InvalidInputException(this);
    }

    public JsonNode ToJson()
    {
        var list = messages is null ? null : new JsonArray([.. messages.Select(m => (JsonNode)JsonValue.Create(m))]);
        var bad = items?.Where(i => i.Value.Any).ToList();
        if (bad is { Count: > 0 } && messages is null && bad.Any(i => i.Value.IsObject)) return ListOfObjects(bad);

        var result = new JsonObject();
        foreach (var (name, child) in fields ?? []) if (child.Any) result[name] = child.ToJson();
        foreach (var (index, child) in bad ?? []) result[$"{index}"] = child.ToJson();
        if (result.Count == 0) return list ?? [];
        if (list is not null) result[NonField] = list;
        return result;
    }

    /// <summary>Writes everything, for <see cref="InputErrorsConverter"/>.</summary>
    internal void WriteTree(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (messages is not null)
        {
            writer.WriteStartArray("messages");
            foreach (var message in messages) writer.WriteStringValue(message);
            writer.WriteEndArray();
        }
        WriteChildren(writer, "fields", fields?.Select(field => (field.Key, field.Value)));
        WriteChildren(writer, "items", items?.Select(item => ($"{item.Key}", item.Value)));
        writer.WriteEndObject();
    }

    private static void WriteChildren(Utf8JsonWriter writer, string name, IEnumerable<(string Name, InputErrors Errors)>? children)
    {
        if (children is null) return;
        writer.WriteStartObject(name);
        foreach (var (child, errors) in children)
        {
            if (!errors.Any) continue;
            writer.WritePropertyName(child);
            errors.WriteTree(writer);
        }
        writer.WriteEndObject();
    }

    private bool IsObject => fields?.Values.Any(f => f.Any) ?? false;

    private static JsonArray ListOfObjects(List<KeyValuePair<int, InputErrors>> bad)
    {
        var result = new JsonArray();
        foreach (var (index, child) in bad)
        {
            while (result.Count < index) result.Add(new JsonObject());
            var node = child.ToJson();
            result.Add(node is JsonArray words ? new JsonObject { [NonField] = words } : node);
        }
        return result;
    }
}
