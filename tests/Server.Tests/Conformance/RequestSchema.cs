using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Contract;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>A schema of the description as requests must meet it: references followed, and what documents add put in place (<see cref="DocumentedRules"/>).</summary>
internal static class RequestSchema
{
    private const string Prefix = "ultravox.v1.", Patched = "Patched";

    /// <param name="schema">As it is written.</param>
    /// <param name="place">Whose property it is, as <c>Agent.name</c>; null when it is nobody's.</param>
    public static JsonObject Of(JsonObject schema, string? place = null)
    {
        var result = new JsonObject();
        if ((string?)schema["$ref"] is { } reference)
        {
            var name = reference.Split('/')[^1];
            Merge(result, Of(OpenApiContract.Root["components"]!["schemas"]![name]!.AsObject()));
            result["x-name"] = Short(name);
            Merge(result, DocumentedRules.Of(Short(name)));
        }
        foreach (var part in schema["allOf"]?.AsArray() ?? []) Merge(result, Of(part!.AsObject()));
        foreach (var (keyword, value) in schema)
            if (keyword is not ("$ref" or "allOf" or "description" or "example" or "title")) result[keyword] = value?.DeepClone();
        if (place is not null) Merge(result, DocumentedRules.Of(place));
        return result;
    }

    /// <summary>The property of a message.</summary>
    public static JsonObject Property(JsonObject message, string name)
        => Of(message["properties"]![name]!.AsObject(), (string?)message["x-name"] is { } owner ? $"{owner}.{name}" : null);

    /// <summary>What a request may set, in the description's order.</summary>
    public static IEnumerable<string> Settable(JsonObject message)
        => (message["properties"]?.AsObject() ?? []).Where(property => Property(message, property.Key)["readOnly"] is null).Select(property => property.Key);

    /// <summary>What a request must set. The description names fields as required that only answers have.</summary>
    public static HashSet<string> Required(JsonObject message)
        => [.. Words(message, "required").Concat(Words(message, "x-required")).Where(Settable(message).ToHashSet().Contains)];

    /// <summary>Fields of which only one may be set.</summary>
    public static IReadOnlyList<string> Choice(JsonObject message) => [.. Words(message, "x-one-of")];

    public static IEnumerable<string> Words(JsonObject schema, string keyword) => (schema[keyword]?.AsArray() ?? []).Select(word => (string)word!);

    private static string Short(string name)
    {
        if (name.StartsWith(Prefix, StringComparison.Ordinal)) name = name[Prefix.Length..];
        return name.StartsWith(Patched, StringComparison.Ordinal) ? name[Patched.Length..] : name;
    }

    private static void Merge(JsonObject into, JsonObject more)
    {
        foreach (var (keyword, value) in more) into[keyword] = value?.DeepClone();
    }
}
