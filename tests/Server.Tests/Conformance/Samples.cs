using System.Globalization;
using System.Text.Json.Nodes;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>One request value that breaks one rule.</summary>
/// <param name="Path">Where: names of fields, indices of items.</param>
/// <param name="Rule">What is broken.</param>
/// <param name="Value">The whole value around it, otherwise as small as can be.</param>
internal sealed record Violation(IReadOnlyList<string> Path, string Rule, JsonNode? Value);

/// <summary>Makes values of a schema: right ones that go to each boundary, and wrong ones that break one rule each. The same ones in each run.</summary>
/// <param name="facts">What <c>$names</c> in documented values stand for.</param>
internal sealed class Samples(IReadOnlyDictionary<string, string> facts)
{
    private const int MaxDepth = 10, MaxLongList = 101, NumberLength = 5;

    /// <summary>In a text that no other request may have: <see cref="ToJson"/> puts a number in its place. A character of no language.</summary>
    private const char Number = '\uE000';

    private int numbers;

    /// <summary>A value as a body.</summary>
    public string? ToJson(JsonNode? value)
    {
        var text = value?.ToJsonString();
        return text is null || !text.Contains("\\uE000", StringComparison.Ordinal) ? text
            : text.Replace("\\uE000", (++numbers).ToString($"D{NumberLength}", CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    /// <summary>
    /// The first has only what must be. Each other one has everything at once: every field with the next of its own values, of fields that exclude each
    /// other the next one. So few values visit every boundary.
    /// </summary>
    public IReadOnlyList<JsonNode?> Valid(JsonObject schema, int depth = 0)
    {
        var values = new List<JsonNode?>();
        if (schema["x-valid"] is JsonArray known) values.AddRange(known.Where(IsKnown).Select(Fill));
        else if (schema["enum"] is JsonArray choices) values.AddRange(choices.Select(choice => (string?)choice).Except(RequestSchema.Words(schema, "x-invalid")).Select(choice => (JsonNode?)choice));
        else values.AddRange((string?)schema["type"] switch
        {
            "string" => Texts(schema),
            "boolean" => [true, false],
            "integer" => Numbers(schema).Select(number => (JsonNode?)(long)number),
            "number" => Numbers(schema).Select(number => (JsonNode?)number),
            "array" => Lists(schema, depth),
            "object" when schema["properties"] is JsonObject => Messages(schema, depth),
            "object" when schema["additionalProperties"] is JsonObject { Count: > 0 } item =>
                [new JsonObject(), .. Valid(RequestSchema.Of(item), depth + 1).Select(value => new JsonObject { ["key"] = value?.DeepClone() })],
            "object" => [new JsonObject(), new JsonObject { ["key"] = "value", ["nested"] = new JsonObject { ["list"] = new JsonArray(1, 2.5, null, true) } }],
            _ => [new JsonObject { ["key"] = "value" }, "text", 1, new JsonArray()],
        });
        if ((bool?)schema["nullable"] == true && schema["x-valid"] is null) values.Add(null);
        return values;
    }

    public IEnumerable<Violation> Invalid(JsonObject schema, int depth = 0)
    {
        if (depth > MaxDepth) yield break;
        foreach (var (rule, value) in Wrong(schema, depth)) yield return new([], rule, value);
        if (schema["x-valid"] is not JsonArray known || known.Any(IsKnown))
            foreach (var value in schema["x-invalid"]?.AsArray() ?? []) yield return new([], "what it must be", Fill(value));
        switch ((string?)schema["type"])
        {
            case "array" when schema["items"] is JsonObject items:
                foreach (var inner in Invalid(RequestSchema.Of(items), depth + 1))
                    yield return inner with { Path = ["0", .. inner.Path], Value = new JsonArray(inner.Value?.DeepClone()) };
                break;
            case "object" when schema["properties"] is JsonObject:
                foreach (var inner in InvalidFields(schema, depth)) yield return inner;
                break;
            case "object" when schema["additionalProperties"] is JsonObject { Count: > 0 } item:
                foreach (var inner in Invalid(RequestSchema.Of(item), depth + 1))
                    yield return inner with { Path = ["key", .. inner.Path], Value = new JsonObject { ["key"] = inner.Value?.DeepClone() } };
                break;
        }
    }

    private IEnumerable<Violation> InvalidFields(JsonObject schema, int depth)
    {
        foreach (var name in RequestSchema.Settable(schema))
            foreach (var inner in Invalid(RequestSchema.Property(schema, name), depth + 1))
                yield return inner with { Path = [name, .. inner.Path], Value = Least(schema, depth, name, inner.Value) };
        foreach (var name in RequestSchema.Required(schema))
        {
            var without = Least(schema, depth);
            without.Remove(name);
            yield return new([name], "required", without);
        }
        var choice = RequestSchema.Choice(schema);
        if (choice.Count > 1 && Least(schema, depth, choice[0], Valid(RequestSchema.Property(schema, choice[0]), depth + 1)[0]) is { } both)
        {
            both[choice[1]] = Valid(RequestSchema.Property(schema, choice[1]), depth + 1)[0]?.DeepClone();
            yield return new(["non_field_errors"], $"only one of {choice[0]} and {choice[1]}", both);
        }
        if (schema["x-one-required"] is not null)
        {
            var none = Least(schema, depth);
            foreach (var name in choice) none.Remove(name);
            yield return new(["non_field_errors"], "one of the alternatives", none);
        }
    }

    /// <summary>A message with what it must have, and one field as given.</summary>
    private JsonObject Least(JsonObject schema, int depth, string? field = null, JsonNode? value = null)
    {
        var (result, choice) = (new JsonObject(), RequestSchema.Choice(schema));
        var required = RequestSchema.Required(schema).Concat(RequestSchema.Words(schema, "x-usual")).ToHashSet();
        foreach (var name in RequestSchema.Settable(schema))
        {
            var isChosen = schema["x-one-required"] is not null && name == choice[0] && (field is null || !choice.Contains(field));
            if (name == field) result[name] = value?.DeepClone();
            else if (required.Contains(name) || isChosen) result[name] = Valid(RequestSchema.Property(schema, name), depth + 1)[0]?.DeepClone();
        }
        foreach (var (name, needed) in schema["x-needs"]?.AsObject() ?? [])
            if (name == field) result[(string)needed!] ??= Valid(RequestSchema.Property(schema, (string)needed!), depth + 1)[0]?.DeepClone();
        return result;
    }

    private IEnumerable<JsonNode?> Messages(JsonObject schema, int depth)
    {
        yield return Least(schema, depth);
        if (depth > MaxDepth) yield break;
        var omitted = RequestSchema.Words(schema, "x-not-here").ToHashSet();
        var lanes = Lanes(schema).Select(lane => lane.Except(omitted).SelectMany(name => Valid(RequestSchema.Property(schema, name), depth + 1).Select(value => (name, value))).ToList())
            .Where(lane => lane.Count > 0).ToList();
        var fulls = lanes.Count == 0 ? 0 : lanes.Max(lane => lane.Count);
        for (var turn = 0; turn < fulls; turn++)
        {
            var message = new JsonObject(lanes.Select(lane => lane[turn % lane.Count]).Select(field => KeyValuePair.Create(field.name, field.value?.DeepClone())));
            foreach (var (name, needed) in schema["x-needs"]?.AsObject() ?? []) if (!message.ContainsKey((string)needed!)) message.Remove(name);
            yield return message;
        }
    }

    /// <summary>Fields that are set side by side; those that exclude each other share a lane and take turns.</summary>
    private static IEnumerable<IReadOnlyList<string>> Lanes(JsonObject schema)
    {
        var (choice, either) = (RequestSchema.Choice(schema), RequestSchema.Words(schema, "x-either").ToList());
        var fields = RequestSchema.Settable(schema).ToList();
        yield return [.. fields.Where(choice.Contains)];
        yield return [.. fields.Where(either.Contains)];
        foreach (var name in fields.Except(choice).Except(either)) yield return [name];
    }

    private IEnumerable<JsonNode?> Lists(JsonObject schema, int depth)
    {
        var items = schema["items"] is JsonObject item ? Valid(RequestSchema.Of(item), depth + 1) : ["text"];
        var least = (int?)schema["minItems"] ?? 0;
        if (least == 0) yield return new JsonArray();
        foreach (var value in items) yield return new JsonArray(value?.DeepClone());
        if ((int?)schema["maxItems"] is { } most and <= MaxLongList) yield return new JsonArray([.. Enumerable.Range(0, most).Select(i => items[i % items.Count]?.DeepClone())]);
    }

    private IEnumerable<JsonNode?> Texts(JsonObject schema)
    {
        switch ((string?)schema["format"])
        {
            case "uuid": return ["11111111-2222-3333-4444-555555555555"];
            case "date-time": return ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456+02:00"];
            case "date": return ["2026-01-31"];
            case "time": return ["08:30:00", "23:59:59.999999"];
            case "uri": return [facts["sink"]];
        }
        if (schema["pattern"] is not null) return ["1s", "1.500s"];
        if (schema["x-unique"] is not null) return [$"Name {Number}", $"Grüße 👋 {Number}", $"{Number} ".PadRight((int)schema["maxLength"]! - NumberLength + 1, 'x')];
        if ((int?)schema["maxLength"] is { } most) return ["Text", new string('ü', most)];
        return ["Text", "Grüße 👋"];
    }

    private static IEnumerable<double> Numbers(JsonObject schema)
    {
        double? least = (double?)schema["minimum"], most = (double?)schema["maximum"];
        if (least is not null) yield return least.Value;
        if (most is not null) yield return most.Value;
        if (least is null && most is null) yield return 1;
    }

    /// <summary>What this value itself, not something in it, must not be.</summary>
    private IEnumerable<(string Rule, JsonNode Value)> Wrong(JsonObject schema, int depth)
    {
        if (schema["enum"] is not null) yield return ("enum", "nonsense");
        switch ((string?)schema["type"])
        {
            case "string":
                yield return ("type", 123);
                if (schema["pattern"] is not null) yield return ("pattern", "soon");
                if ((string?)schema["format"] is "uuid" or "date-time" or "date" or "time" or "uri" or "email") yield return ((string)schema["format"]!, "nonsense");
                if ((int?)schema["maxLength"] is { } longest) yield return ("maxLength", new string('x', longest + 1));
                if ((int?)schema["minLength"] > 0) yield return ("minLength", "");
                break;
            case "boolean": yield return ("type", "perhaps"); break;
            case "integer": yield return ("type", "many"); yield return ("type", 1.5); break;
            case "number": yield return ("type", "much"); break;
            case "array":
                yield return ("type", "one");
                if ((int?)schema["minItems"] > 0) yield return ("minItems", new JsonArray());
                if ((int?)schema["maxItems"] is { } most) yield return ("maxItems", TooLong(schema, most + 1, depth));
                break;
            case "object": yield return ("type", "thing"); break;
        }
        if ((string?)schema["format"] is "int32") yield return ("int32", 1L << 31);
        if ((double?)schema["minimum"] is { } minimum) yield return ("minimum", JsonNode.Parse((minimum - 1).ToString(CultureInfo.InvariantCulture))!);
        if ((double?)schema["maximum"] is { } maximum) yield return ("maximum", JsonNode.Parse((maximum + 1).ToString(CultureInfo.InvariantCulture))!);
    }

    private JsonArray TooLong(JsonObject schema, int count, int depth)
    {
        var item = Valid(RequestSchema.Of(schema["items"]!.AsObject()), depth + 1)[0];
        return [.. Enumerable.Range(0, count).Select(_ => item?.DeepClone())];
    }

    /// <summary>Whether all objects that it names exist in this version.</summary>
    private bool IsKnown(JsonNode? known)
        => known?.ToJsonString() is not { } text || !text.Contains('$', StringComparison.Ordinal) || facts.Keys.Any(name => text.Contains("$" + name, StringComparison.Ordinal));

    private JsonNode? Fill(JsonNode? known)
    {
        if (known is null) return null;
        var text = known.ToJsonString();
        foreach (var (name, fact) in facts.OrderByDescending(fact => fact.Key.Length)) text = text.Replace("$" + name, fact, StringComparison.Ordinal);
        return JsonNode.Parse(text);
    }
}
