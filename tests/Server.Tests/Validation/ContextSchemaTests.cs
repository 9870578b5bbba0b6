using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using NJsonSchema;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Server.Tests.Validation;

public sealed class ContextSchemaTests
{
    [Theory]
    [InlineData("""{"type":"string","minLength":2,"maxLength":3,"pattern":"^a"}""", "\"ab\"", "")]
    [InlineData("""{"type":"string","minLength":2,"pattern":"^a"}""", "\"b\"", "Must have at least 2 characters.|Must match \"^a\".")]
    [InlineData("""{"type":["integer","null"]}""", "1.5", "Must be of type integer or null.")]
    [InlineData("""{"type":"integer"}""", "2.0", "")]
    [InlineData("""{"exclusiveMinimum":1,"maximum":3}""", "1", "Must be above 1.")]
    [InlineData("""{"enum":["a",1,null]}""", "\"b\"", "Must be one of [\"a\",1,null].")]
    [InlineData("""{"const":{"a":1}}""", """{"a":1}""", "")]
    [InlineData("""{"properties":{"a":{"type":"array","items":{"type":"number"}}}}""", """{"a":[1,"x",2,"y"]}""", "a[1]: Must be of type number.|a[3]: Must be of type number.")]
    [InlineData("""{"type":"array","maxItems":0}""", "[]", "")]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":false}""", """{"a":1,"b":2}""", "b: Is not allowed.")]
    [InlineData("""{"anyOf":[{"type":"string"},{"required":["a"]}]}""", "{}", "Matches none of the allowed forms.")]
    [InlineData("""{"oneOf":[{"type":"number"},{"type":"integer"}]}""", "1", "Must match exactly one of the allowed forms.")]
    [InlineData("""{"not":{"type":"string"}}""", "\"x\"", "Has a form that is not allowed.")]
    public void Check_TellsHowAValueBreaksTheSchema(string schema, string value, string problems)
    {
        var rules = JsonNode.Parse(schema)!;
        Assert.Null(ContextSchema.Problem(rules));
        Assert.Equal(problems, string.Join("|", ContextSchema.Check(rules, JsonNode.Parse(value))));
    }

    [Theory]
    [InlineData("[]", "A schema must be an object.")]
    [InlineData("""{"required":[1]}""", "required: Must be a list of names.")]
    [InlineData("""{"minLength":-1}""", "minLength: Must be a whole number, at least 0.")]
    [InlineData("""{"maximum":"1"}""", "maximum: Must be a number.")]
    [InlineData("""{"properties":{"a":{"items":3}}}""", "properties.a.items: A schema must be an object.")]
    [InlineData("""{"anyOf":[]}""", "anyOf: Must be a list of schemas.")]
    [InlineData("""{"pattern":"("}""", "pattern: Must be a regular expression without lookaround and backreferences.")]
    public void Problem_TellsWhatIsNoSchema(string schema, string problem) => Assert.Equal(problem, ContextSchema.Problem(JsonNode.Parse(schema)));

    [Fact]
    public void Verdicts_AreThoseOfAnotherValidator() => Prop.ForAll(Schema(2).Zip(Value(2)).ToArbitrary(), pair =>
    {
        var (schema, value) = pair;
        var rules = JsonNode.Parse(schema)!;
        Assert.Null(ContextSchema.Problem(rules));
        var other = JsonSchema.FromJsonAsync(schema).GetAwaiter().GetResult();
        Assert.Equal(other.Validate(value).Count == 0, ContextSchema.Check(rules, JsonNode.Parse(value)).Count == 0);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    /// <summary>
    /// Schemas in the part of the language that both validators read alike, whatever NJsonSchema thinks of <c>1.0</c> as an integer. It takes <c>maxItems</c> 0 for none.
    /// </summary>
    private static Gen<string> Schema(int depth)
    {
        var simple = Gen.Elements(
            """{"type":"string"}""", """{"type":"number"}""", """{"type":"boolean"}""", """{"type":"null"}""", """{"type":["string","null"]}""",
            """{"type":"string","minLength":2}""", """{"type":"number","minimum":2}""", """{"type":"string","enum":["a","bcd"]}""", """{"type":"object"}""", """{"type":"array"}""");
        if (depth == 0) return simple;
        var objects = from a in Schema(depth - 1)
                      from b in Schema(depth - 1)
                      from required in Gen.Elements("", "\"a\"", "\"a\",\"b\"")
                      from closed in Gen.Elements("", ",\"additionalProperties\":false")
                      select $$"""{"type":"object","properties":{"a":{{a}},"b":{{b}}},"required":[{{required}}]{{closed}}}""";
        var arrays = from item in Schema(depth - 1) from most in Gen.Choose(1, 2) select $$"""{"type":"array","items":{{item}},"maxItems":{{most}}}""";
        var choices = from one in Schema(depth - 1) from two in Schema(depth - 1) select $$"""{"anyOf":[{{one}},{{two}}]}""";
        return Gen.Frequency((1, simple), (3, objects), (1, arrays), (1, choices));
    }

    private static Gen<string> Value(int depth)
    {
        var simple = Gen.Elements("null", "true", "1", "2.5", "\"\"", "\"a\"", "\"bcd\"", "{}", "[]");
        if (depth == 0) return simple;
        var objects = from a in Value(depth - 1) from b in Value(depth - 1) from names in Gen.Elements("a,b", "a,c", "b,c") let n = names.Split(',') select $$"""{"{{n[0]}}":{{a}},"{{n[1]}}":{{b}}}""";
        var arrays = Value(depth - 1).ListOf().Select(items => $"[{string.Join(",", items.Take(3))}]");
        return Gen.Frequency((1, simple), (3, objects), (1, arrays));
    }
}
