using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>What a model may write as arguments, and what it is told to mend.</summary>
public sealed class ToolArgumentsTests
{
    private static readonly CallTool Order = Tool(
        ("item", true, """{"type":"string","enum":["donut","coffee"]}"""),
        ("qty", true, """{"type":"integer","minimum":1,"maximum":12}"""),
        ("note", false, """{"type":"string","maxLength":5}"""),
        ("lines", false, """{"type":"array","items":{"type":"object","required":["sku"],"properties":{"sku":{"type":"string","pattern":"^[A-Z]+$"}}}}"""));

    private static CallTool Tool(params (string Name, bool Required, string Schema)[] parameters) => new()
    {
        CallToolId = "t",
        Name = "order",
        Definition = new CallToolDefinition
        {
            DynamicParameters = [.. parameters.Select(parameter => new DynamicParameter
            {
                Name = parameter.Name,
                Location = ParameterLocation.Body,
                Required = parameter.Required,
                Schema = (JsonObject)JsonNode.Parse(parameter.Schema)!,
            })],
        },
    };

    [Theory]
    [InlineData("""{"item":"donut","qty":2}""", """{"item":"donut","qty":2}""")]
    [InlineData("""{"qty":2.0,"item":"coffee","lines":[{"sku":"AB"}]}""", """{"item":"coffee","qty":2.0,"lines":[{"sku":"AB"}]}""")]
    [InlineData("""{"item":"donut","qty":2,"invented":{"a":1}}""", """{"item":"donut","qty":2}""")]
    [InlineData("""{"item":"donut","qty":2,"note":null,"lines":null}""", """{"item":"donut","qty":2}""")]
    public void GoodArguments_AreTaken_WithoutWhatTheToolDoesNotHave(string text, string expected)
    {
        Assert.True(ToolArguments.TryRead(Order, text, out var arguments, out var problem), problem);
        Assert.Equal(expected, arguments.ToJsonString());
    }

    [Theory]
    [InlineData("""{"item":"tea","qty":0,"note":"too long","lines":[{"sku":"AB"},{"sku":"a1"},{}]}""",
        """The arguments do not fit the tool. item: Must be one of ["donut","coffee"]. qty: Must be at least 1. note: Must have at most 5 characters. lines[1].sku: Must match "^[A-Z]+$". lines[2].sku: This field is required.""")]
    [InlineData("{}", "The arguments do not fit the tool. item: This field is required. qty: This field is required.")]
    [InlineData("", "The arguments do not fit the tool. item: This field is required. qty: This field is required.")]
    [InlineData("""{"item":null,"qty":"2"}""", """The arguments do not fit the tool. item: Must be of type string. qty: Must be of type integer.""")]
    [InlineData("""{"item":"donut","qty":1e400}""", "The arguments do not fit the tool. qty: Must be of type integer.")]
    [InlineData("[1,2]", "The arguments must be a JSON object.")]
    [InlineData("\"donut\"", "The arguments must be a JSON object.")]
    [InlineData("""{"item":"donut",""", "The arguments are not valid JSON (line 1, position 16). Call the tool again with a JSON object.")]
    [InlineData("""{"item":"donut","item":"coffee","qty":1}""", "The arguments are not valid JSON. Call the tool again with a JSON object.")]
    [InlineData("""{"item":"\ud800","qty":1}""", "The arguments hold text that is not valid Unicode.")]
    public void BadArguments_GiveOneErrorThatNamesEverything(string text, string problem)
    {
        Assert.False(ToolArguments.TryRead(Order, text, out _, out var told));
        Assert.Equal(problem, told);
    }

    [Fact]
    public void HalfASurrogatePair_IsNoText()
    {
        Assert.False(ToolArguments.TryRead(Order, "{\"item\":\"\uD800\"}", out _, out var problem));
        Assert.Equal("The arguments hold text that is not valid Unicode.", problem);
    }

    [Fact]
    public void ArgumentsOfAnySize_AreBounded()
    {
        Assert.False(ToolArguments.TryRead(Order, $$"""{"item":"{{new string('x', 70_000)}}"}""", out _, out var problem));
        Assert.Equal("The arguments are longer than 65536 characters.", problem);
        Assert.False(ToolArguments.TryRead(Order, new string('[', 5000), out _, out problem));
        Assert.StartsWith("The arguments are not valid JSON", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void NullThatTheSchemaTakes_IsKept()
    {
        var tool = Tool(("note", false, """{"type":["string","null"]}"""), ("any", false, "{}"));
        Assert.True(ToolArguments.TryRead(tool, """{"note":null,"any":null}""", out var arguments, out _));
        Assert.Equal("""{"note":null,"any":null}""", arguments.ToJsonString());
    }

    [Fact]
    public void OverriddenStaticAndAutomaticParameters_AreInvisible_AndCannotBeGiven()
    {
        var tool = Order with
        {
            ParameterOverrides = new Dictionary<string, JsonNode?> { ["qty"] = 3 },
            Definition = Order.Definition with
            {
                StaticParameters = [new() { Name = "shop", Location = ParameterLocation.Body, Value = "main" }],
                AutomaticParameters = [new() { Name = "call", Location = ParameterLocation.Body, KnownValue = KnownParameter.CallId }],
            },
        };
        Assert.Equal(["item", "note", "lines"], ToolSchema.ArgumentsOf(tool)["properties"]!.AsObject().Select(property => property.Key));
        Assert.True(ToolArguments.TryRead(tool, """{"item":"donut","qty":99,"shop":"mine","call":"x"}""", out var arguments, out _));
        Assert.Equal("""{"item":"donut"}""", arguments.ToJsonString());
    }
}
