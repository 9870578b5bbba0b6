using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Validation;

/// <summary>
/// Reads untrusted JSON into a request record and tells everything that is wrong with it at once. The record is the contract: its properties are
/// the known fields, <c>required</c> members and validation attributes their rules. Values are never coerced: <c>"1"</c> is no number.
/// Messages are Django REST framework's where it has one.
/// </summary>
public static class JsonRequestReader
{
    /// <summary>Most items of one list or map.</summary>
    private const int MaxItems = 10_000;

    /// <summary>As on the wire, but for read-only fields: whatever a request has there is not even read.</summary>
    private static readonly JsonSerializerOptions Requests = new(WireJson.Options)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { static type => LeaveOut(type, type.Type.GetCustomAttribute<ReadOnlyFieldsAttribute>()?.Fields ?? []) } },
    };

    /// <exception cref="InvalidInputException">With every problem found, at most <see cref="InputErrors.MaxProblems"/>.</exception>
    public static T Read<T>(JsonElement json) where T : class
    {
        var errors = new InputErrors();
        if (TryRead<T>(json, errors, out var value)) return value;
        throw new InvalidInputException(errors);
    }

    /// <summary>As <see cref="Read{T}"/>, but adds the problems to <paramref name="errors"/>. Never throws, whatever the JSON.</summary>
    public static bool TryRead<T>(JsonElement json, InputErrors errors, [NotNullWhen(true)] out T? value) where T : class
    {
        value = null;
        if (json.ValueKind != JsonValueKind.Object && JsonShape.Of(typeof(T)).Kind == JsonKind.Message)
            errors.AddNonField(ExpectedObject(json));
        else
            Check(JsonShape.Of(typeof(T)), json, errors);
        if (errors.Any) return false;
        value = json.Deserialize<T>(Requests)!;
        return true;
    }

    private static void LeaveOut(JsonTypeInfo type, IReadOnlyList<string> names)
    {
        for (var i = type.Properties.Count - 1; names.Count > 0 && i >= 0; i--)
            if (names.Contains(type.Properties[i].Name)) type.Properties.RemoveAt(i);
    }

    private static void Check(JsonShape shape, JsonElement json, InputErrors errors)
    {
        if (errors.Full) return;
        switch (shape.Kind)
        {
            case JsonKind.Message: CheckMessage(shape, json, errors); break;
            case JsonKind.List: CheckList(shape, json, errors); break;
            case JsonKind.Map: CheckMap(shape, json, errors); break;
            default:
                if (JsonLeaf.Problem(shape, json) is { } problem) errors.Add(problem);
                break;
        }
    }

    private static void CheckMessage(JsonShape shape, JsonElement json, InputErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(ExpectedObject(json));
            return;
        }
        var set = new HashSet<string>(StringComparer.Ordinal);
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in json.EnumerateObject())
        {
            if (!JsonLeaf.TryName(property, out var name)) errors.AddNonField("A field's name is not valid text.");
            else if (!shape.Fields.TryGetValue(name, out var field) && shape.ReadOnly.Contains(name)) continue;
            else if (field is null) errors.Field(JsonLeaf.Shorten(name)).Add("Unknown field.");
            else if (given.Add(name) && CheckField(field, property.Value, errors.Field(name)) && !IsDefault(property.Value)) set.Add(name);
        }
        foreach (var (name, field) in shape.Fields)
            if (field.Required && !given.Contains(name)) errors.Field(name).Add("This field is required.");
        foreach (var rule in shape.Exclusive) CheckExclusive(rule, set, errors);
    }

    /// <summary>False when the field holds null, which is as good as absent.</summary>
    private static bool CheckField(JsonField field, JsonElement json, InputErrors errors)
    {
        if (json.ValueKind == JsonValueKind.Null && field.Shape.Kind != JsonKind.Free)
        {
            if (!field.MayBeNull || field.Required) errors.Add("This field may not be null.");
            return false;
        }
        Check(field.Shape, json, errors);
        if (field.Rules.Count > 0 && !errors.Any) CheckRules(field, json, errors);
        return true;
    }

    private static void CheckRules(JsonField field, JsonElement json, InputErrors errors)
    {
        var value = json.Deserialize(field.Type, WireJson.Options);
        foreach (var rule in field.Rules)
            if (!rule.IsValid(value) || IsEmptyAgainst(rule, value) && !errors.Any) errors.Add(Message(rule));
    }

    /// <summary>.NET's rule of a pattern lets empty text pass whatever the pattern.</summary>
    private static bool IsEmptyAgainst(ValidationAttribute rule, object? value)
        => rule is RegularExpressionAttribute pattern && value is "" && !Regex.IsMatch("", pattern.Pattern);

    private static string Message(ValidationAttribute rule) => rule switch
    {
        { ErrorMessage: not null } => rule.FormatErrorMessage("This field"),
        RangeAttribute range => FormattableString.Invariant($"Must be between {range.Minimum} and {range.Maximum}."),
        StringLengthAttribute { MinimumLength: > 0 } length => $"Ensure this field has between {length.MinimumLength} and {length.MaximumLength} characters.",
        StringLengthAttribute length => $"Ensure this field has no more than {length.MaximumLength} characters.",
        MaxLengthAttribute length => $"Ensure this field has no more than {length.Length} elements.",
        MinLengthAttribute => "This field may not be empty.",
        RegularExpressionAttribute pattern => $"Must match {pattern.Pattern}.",
        _ => rule.FormatErrorMessage("This field"),
    };

    /// <summary>What protobuf writes for a text or a flag that is not set. Answers have it too, and may be sent back.</summary>
    private static bool IsDefault(JsonElement json) => json.ValueKind == JsonValueKind.False || json.ValueKind == JsonValueKind.String && json.ValueEquals("");

    private static void CheckExclusive(AtMostOneAttribute rule, HashSet<string> set, InputErrors errors)
    {
        var given = rule.Fields.Where(set.Contains).ToList();
        if (given.Count > 1) errors.AddNonField($"Only one of {Words(rule.Fields)} may be set, but {Words(given)} are.");
        else if (given.Count == 0 && rule.Required) errors.AddNonField($"One of {Words(rule.Fields)} must be set.");
    }

    private static string Words(IReadOnlyList<string> names)
        => names.Count == 1 ? $"'{names[0]}'" : string.Join(", ", names.SkipLast(1).Select(n => $"'{n}'")) + $" and '{names[^1]}'";

    private static void CheckList(JsonShape shape, JsonElement json, InputErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            errors.Add($"Expected a list of items but got type \"{JsonLeaf.KindName(json)}\".");
            return;
        }
        if (json.GetArrayLength() > MaxItems)
        {
            errors.Add($"Ensure this field has no more than {MaxItems} elements.");
            return;
        }
        var index = 0;
        foreach (var item in json.EnumerateArray()) CheckItem(shape, item, errors.Item(index++));
    }

    private static void CheckMap(JsonShape shape, JsonElement json, InputErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add($"Expected a dictionary of items but got type \"{JsonLeaf.KindName(json)}\".");
            return;
        }
        foreach (var property in json.EnumerateObject())
        {
            if (!JsonLeaf.TryName(property, out var name)) errors.AddNonField("A key is not valid text.");
            else CheckItem(shape, property.Value, errors.Field(name));
        }
    }

    private static void CheckItem(JsonShape shape, JsonElement json, InputErrors errors)
    {
        if (json.ValueKind == JsonValueKind.Null && !shape.ItemMayBeNull) errors.Add("This field may not be null.");
        else Check(shape.Item, json, errors);
    }

    private static string ExpectedObject(JsonElement json) => $"Invalid data. Expected a dictionary, but got {JsonLeaf.KindName(json)}.";
}
