using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Validation;

internal enum JsonKind { Text, Boolean, Integer, Number, Duration, Instant, Uuid, Choice, Message, List, Map, Free, FreeObject, FreeList }

/// <summary>What a .NET type looks like as a request: read once from its JSON metadata and attributes, then kept.</summary>
internal sealed class JsonShape
{
    private static readonly ConcurrentDictionary<Type, JsonShape> Known = new();

    private static readonly Dictionary<Type, JsonKind> Leaves = new()
    {
        [typeof(string)] = JsonKind.Text, [typeof(bool)] = JsonKind.Boolean, [typeof(int)] = JsonKind.Integer, [typeof(long)] = JsonKind.Integer,
        [typeof(double)] = JsonKind.Number, [typeof(float)] = JsonKind.Number, [typeof(TimeSpan)] = JsonKind.Duration,
        [typeof(DateTimeOffset)] = JsonKind.Instant, [typeof(Guid)] = JsonKind.Uuid, [typeof(JsonNode)] = JsonKind.Free,
        [typeof(JsonObject)] = JsonKind.FreeObject, [typeof(JsonArray)] = JsonKind.FreeList,
    };

    private readonly JsonTypeInfo info;

    private JsonShape(JsonTypeInfo info, JsonKind kind)
    {
        this.info = info;
        Kind = kind;
        if (kind == JsonKind.Choice)
            Choices = [.. info.Type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(f => f.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? f.Name)];
        if (kind != JsonKind.Message) return;
        Fields = info.Properties.Where(p => p.Set is not null || p.AssociatedParameter is not null).ToDictionary(p => p.Name, p => new JsonField(p), StringComparer.Ordinal);
        Exclusive = [.. info.Type.GetCustomAttributes<AtMostOneAttribute>()];
        ReadOnly = [.. info.Type.GetCustomAttribute<ReadOnlyFieldsAttribute>()?.Fields ?? []];
    }

    public Type Type => info.Type;
    public JsonKind Kind { get; }
    public HashSet<string> Choices { get; } = [];
    public Dictionary<string, JsonField> Fields { get; } = [];
    public IReadOnlyList<AtMostOneAttribute> Exclusive { get; } = [];
    public HashSet<string> ReadOnly { get; } = [];

    /// <summary>Of a list or map: its items. Asked for late, since messages may hold themselves.</summary>
    public JsonShape Item => Of(info.ElementType!);

    /// <summary>Whether an item may be null: only where it is free JSON.</summary>
    public bool ItemMayBeNull => Item.Kind == JsonKind.Free;

    public static JsonShape Of(Type type) => Known.GetOrAdd(Nullable.GetUnderlyingType(type) ?? type, static t =>
    {
        var info = WireJson.Options.GetTypeInfo(t);
        var kind = Leaves.TryGetValue(t, out var leaf) ? leaf
            : t.IsEnum ? JsonKind.Choice
            : info.Kind switch
            {
                JsonTypeInfoKind.Object => JsonKind.Message,
                JsonTypeInfoKind.Enumerable => JsonKind.List,
                JsonTypeInfoKind.Dictionary => JsonKind.Map,
                _ => throw new NotSupportedException($"{t} cannot be read from a request."),
            };
        return new(info, kind);
    });
}

/// <summary>One field of a message and its rules.</summary>
internal sealed class JsonField(JsonPropertyInfo property)
{
    private JsonShape? shape;

    public JsonShape Shape => shape ??= JsonShape.Of(
        property.AttributeProvider?.GetCustomAttributes(typeof(ShapeAttribute), inherit: true).Cast<ShapeAttribute>().FirstOrDefault()?.Type ?? property.PropertyType);

    /// <summary>What the rules look at.</summary>
    public Type Type => Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;

    public bool Required { get; } = property.IsRequired || property.AttributeProvider?.IsDefined(typeof(RequiredAttribute), inherit: true) == true;

    /// <summary>Null means not set, as in protobuf JSON, wherever the record can hold it.</summary>
    public bool MayBeNull { get; } = property.PropertyType.IsValueType
        ? Nullable.GetUnderlyingType(property.PropertyType) is not null
        : property.IsSetNullable;

    public IReadOnlyList<ValidationAttribute> Rules { get; } =
        [.. property.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true).Cast<ValidationAttribute>().Where(a => a is not RequiredAttribute) ?? []];
}
