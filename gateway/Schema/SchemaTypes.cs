using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using VoiceGrains.Gateway.Paging;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Schema;

/// <summary>The records of requests and answers as OpenAPI schemas, from the same JSON metadata and attributes that read and write them.</summary>
internal sealed class SchemaTypes
{
    private const string DurationPattern = @"^-?(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?s$";

    private readonly Dictionary<(Type Type, bool IsRequest), string> names = [];

    /// <summary>Components by name.</summary>
    public JsonObject Schemas { get; } = [];

    /// <param name="type">Of a request, an answer, or a part of one.</param>
    /// <param name="isRequest">Whether it is read: then fields may be left out unless they are required, and read-only ones are ignored.</param>
    public JsonObject Of(Type type, bool isRequest)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var info = WireJson.Options.GetTypeInfo(type);
        if (Leaf(type) is { } leaf) return leaf;
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Of(info.ElementType!, isRequest) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(info.ElementType!, isRequest) },
            _ => new JsonObject { ["$ref"] = $"#/components/schemas/{Component(info, isRequest)}" },
        };
    }

    /// <summary>A change of a request's record: nothing of it is required.</summary>
    public JsonObject PartOf(Type type)
    {
        var whole = Of(type, isRequest: true)["$ref"]!.GetValue<string>().Split('/')[^1];
        var part = Schemas[whole]!.DeepClone().AsObject();
        part.Remove("required");
        Schemas[$"Patched{whole}"] = part;
        return new JsonObject { ["$ref"] = $"#/components/schemas/Patched{whole}" };
    }

    private static JsonObject? Leaf(Type type)
    {
        if (type.IsEnum)
            return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. type.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Select(field => (JsonNode)(field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name))]) };
        if (type == typeof(TimeSpan)) return new JsonObject { ["type"] = "string", ["pattern"] = DurationPattern };
        if (typeof(JsonNode).IsAssignableFrom(type) || type == typeof(JsonElement) || type == typeof(object)) return type == typeof(JsonObject) ? new JsonObject { ["type"] = "object" } : [];
        var (name, format) = Type.GetTypeCode(type) switch
        {
            TypeCode.String => ("string", null),
            TypeCode.Boolean => ("boolean", null),
            TypeCode.Int32 => ("integer", "int32"),
            TypeCode.Int64 => ("integer", "int64"),
            TypeCode.Double or TypeCode.Single => ("number", "double"),
            _ when type == typeof(Guid) => ("string", "uuid"),
            _ when type == typeof(Uri) => ("string", "uri"),
            _ when type == typeof(DateTimeOffset) => ("string", "date-time"),
            _ when type == typeof(DateOnly) => ("string", "date"),
            _ => (null, (string?)null),
        };
        if (name is null) return null;
        return format is null ? new JsonObject { ["type"] = name } : new JsonObject { ["type"] = name, ["format"] = format };
    }

    private string Component(JsonTypeInfo info, bool isRequest)
    {
        if (names.TryGetValue((info.Type, isRequest), out var known)) return known;
        var name = Unique(NameOf(info.Type) + (isRequest && !info.Type.Name.EndsWith("Request", StringComparison.Ordinal) && !info.Type.Name.EndsWith("Patch", StringComparison.Ordinal) ? "Input" : ""));
        names[(info.Type, isRequest)] = name;
        var schema = new JsonObject { ["type"] = "object" };
        Schemas[name] = schema;     // before its parts, which may hold it again
        var readOnly = info.Type.GetCustomAttribute<ReadOnlyFieldsAttribute>()?.Fields ?? [];
        var (properties, required) = (new JsonObject(), new JsonArray());
        foreach (var property in info.Properties)
        {
            if (property.Get is null || isRequest && readOnly.Contains(property.Name)) continue;
            properties[property.Name] = Property(property, isRequest);
            var isRequired = isRequest ? property.IsRequired || Has<RequiredAttribute>(property) is not null : Has<JsonIgnoreAttribute>(property) is null;
            if (isRequired) required.Add((JsonNode)property.Name);
        }
        schema["properties"] = properties;
        if (required.Count > 0) schema["required"] = required;
        return name;
    }

    private JsonObject Property(JsonPropertyInfo property, bool isRequest)
    {
        var shape = Has<ShapeAttribute>(property)?.Type;
        var schema = Of(shape ?? property.PropertyType, isRequest);
        if (Has<AllowedValuesAttribute>(property) is { } choices) schema["enum"] = new JsonArray([.. choices.Values.Select(value => (JsonNode)(string)value!)]);
        if (Has<StringLengthAttribute>(property) is { } length)
        {
            schema["maxLength"] = length.MaximumLength;
            if (length.MinimumLength > 0) schema["minLength"] = length.MinimumLength;
        }
        if (Has<RangeAttribute>(property) is { Minimum: int or double } range)
        {
            Bound(schema, "minimum", range.Minimum);
            Bound(schema, "maximum", range.Maximum);
        }
        if (!property.IsGetNullable) return schema;
        // OpenAPI 3.0 ignores what stands beside a reference.
        return schema.ContainsKey("$ref") ? new JsonObject { ["allOf"] = new JsonArray(schema), ["nullable"] = true } : OrNull(schema);
    }

    /// <summary>The greatest number of a type stands for none.</summary>
    private static void Bound(JsonObject schema, string name, object bound)
    {
        if (bound is not (int.MaxValue or int.MinValue or double.MaxValue or double.MinValue)) schema[name] = JsonSerializer.SerializeToNode(bound);
    }

    private static JsonObject OrNull(JsonObject schema)
    {
        schema["nullable"] = true;
        return schema;
    }

    private static T? Has<T>(JsonPropertyInfo property) where T : Attribute
        => property.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: true).OfType<T>().FirstOrDefault();

    private static string NameOf(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(PageResponse<>)) return $"Paginated{NameOf(type.GetGenericArguments()[0])}List";
        var name = type.Name.Split('`')[0];
        return name.EndsWith("Response", StringComparison.Ordinal) ? name[..^8] : name;
    }

    private string Unique(string name)
    {
        if (!Schemas.ContainsKey(name)) return name;
        for (var i = 2; ; i++)
            if (!Schemas.ContainsKey($"{name}{i}")) return $"{name}{i}";
    }
}
