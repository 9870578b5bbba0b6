using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.WebUtilities;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Tests.Tools;

/// <summary>Where values go, whatever they are.</summary>
public sealed class ToolParametersTests
{
    private static readonly ToolContext Context = new()
    {
        CallId = "call-1",
        CallStageId = "stage-1",
        OutputSampleRateHz = 24_000,
        CallState = new JsonObject { ["step"] = 2 },
        Metadata = new Dictionary<string, string> { ["who"] = "me" },
        ConversationHistory = [new JsonObject { ["text"] = "hi" }],
        ThreadId = "side",
        ThreadStates = new JsonObject { ["side"] = "idle" },
    };

    private static Invocation Invoke(string url, JsonObject arguments, params (string Name, ParameterLocation Location)[] parameters) => new("i", new CallTool
    {
        CallToolId = "t",
        Name = "t",
        Definition = new CallToolDefinition
        {
            Http = new HttpToolDetails { BaseUrlPattern = url, HttpMethod = "POST" },
            DynamicParameters = [.. parameters.Select(parameter => new DynamicParameter { Name = parameter.Name, Location = parameter.Location })],
        },
    }, arguments);

    private static bool IsText(string? text) => text is not null && text.EnumerateRunes().All(rune => rune.Value != 0xFFFD);

    [Fact]
    public void ASecretValue_TakesThePlaceOfItsParametersDefault()
    {
        var password = new StaticParameter { Name = "password", Location = ParameterLocation.Body };
        var tool = new CallTool
        {
            CallToolId = "t", Name = "t", Definition = new CallToolDefinition { StaticParameters = [password] },
            SecretParameters = new Dictionary<string, JsonNode?> { ["password"] = "hush" },
        };
        Assert.Equal("""{"password":"hush"}""", ToolParameters.Body(new Invocation("i", tool, []), Context).ToJsonString());
    }

    [Fact]
    public void AnyText_StaysOnePathSegment_AndOneQueryValue()
        => Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString>(), text =>
        {
            var value = text.Get;
            if (!IsText(value) || value is "." or "..") return true;
            using var request = HttpToolRequest.Build(
                Invoke("https://x.test/a/{v}/b", new JsonObject { ["v"] = value, ["q&="] = value }, ("v", ParameterLocation.Path), ("q&=", ParameterLocation.Query)), Context);
            var segments = request.RequestUri!.AbsolutePath.Split('/');
            var query = QueryHelpers.ParseQuery(request.RequestUri.Query);
            return segments.Length == 4 && Uri.UnescapeDataString(segments[2]) == value && segments[3] == "b" && query.Count == 1 && query["q&="] == value;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnyText_InTheBody_ComesOutAsItWentIn()
        => Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString>(), text =>
        {
            if (!IsText(text.Get)) return true;
            using var request = HttpToolRequest.Build(Invoke("https://x.test/", new JsonObject { ["v"] = text.Get }, ("v", ParameterLocation.Body)), Context);
            using var body = request.Content!.ReadAsStream(TestContext.Current.CancellationToken);
            return JsonNode.Parse(body)!["v"]!.GetValue<string>() == text.Get;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnyText_InAHeader_IsSentAsItIs_OrRefused()
        => Prop.ForAll(ArbMap.Default.ArbFor<NonEmptyString>(), text =>
        {
            var isPlain = text.Get.All(c => c is >= ' ' and <= '~');
            try
            {
                using var request = HttpToolRequest.Build(Invoke("https://x.test/", new JsonObject { ["X-V"] = text.Get }, ("X-V", ParameterLocation.Header)), Context);
                return isPlain && request.Headers.NonValidated["X-V"].ToString() == text.Get;
            }
            catch (ToolInputException)
            {
                return !isPlain;
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("", "v: Must not be empty.")]
    [InlineData(".", "v: Must not be '.'.")]
    [InlineData("..", "v: Must not be '..'.")]
    public void PathValueThatLeadsElsewhere_IsRefused(string value, string problem)
        => Assert.Equal(problem, Assert.Throws<ToolInputException>(() => HttpToolRequest.Build(Invoke("https://x.test/orders/{v}", new JsonObject { ["v"] = value }, ("v", ParameterLocation.Path)), Context)).Message);

    [Fact]
    public void PathValueThatIsMissing_IsNamed()
        => Assert.Equal("v: This field is required.", Assert.Throws<ToolInputException>(() => HttpToolRequest.Build(Invoke("https://x.test/{v}", [], ("v", ParameterLocation.Path)), Context)).Message);

    [Theory]
    [InlineData("Host")]
    [InlineData("content-length")]
    [InlineData("Transfer-Encoding")]
    public void HeaderThatFramesTheMessage_IsRefused(string name)
        => Assert.Throws<ToolInputException>(() => HttpToolRequest.Build(Invoke("https://x.test/", new JsonObject { [name] = "1" }, (name, ParameterLocation.Header)), Context));

    [Fact]
    public void ListsAndObjects_GoAsTheirPlaceTakesThem()
    {
        var arguments = new JsonObject { ["id"] = new JsonArray(1, "b c"), ["at"] = new JsonArray("x", "y"), ["X-L"] = new JsonArray(1, 2), ["o"] = new JsonObject { ["k"] = "é" }, ["none"] = null, ["X-None"] = null };
        using var request = HttpToolRequest.Build(Invoke("https://x.test/{at}?fixed=1", arguments,
            ("id", ParameterLocation.Query), ("at", ParameterLocation.Path), ("X-L", ParameterLocation.Header), ("o", ParameterLocation.Query), ("none", ParameterLocation.Query), ("X-None", ParameterLocation.Header)), Context);
        Assert.Equal("https://x.test/x%2Cy?fixed=1&id=1&id=b%20c&o=%7B%22k%22%3A%22%5Cu00E9%22%7D", request.RequestUri!.AbsoluteUri);
        Assert.Equal(["X-L"], request.Headers.NonValidated.Select(header => header.Key));
        Assert.Equal("1,2", request.Headers.NonValidated["X-L"].ToString());
        Assert.Equal(0, request.Content!.Headers.ContentLength);
    }

    [Theory]
    [InlineData("""{"a.b":1,"a.c.d":2,"e":3}""", """{"a":{"b":1,"c":{"d":2}},"e":3}""")]
    [InlineData("""{"a":{"x":0},"a.b":1}""", """{"a":{"x":0,"b":1}}""")]
    [InlineData("""{"a":5,"a.b":1}""", """{"a":5,"a.b":1}""")]
    [InlineData("""{".a":1,"b.":2,"c..d":3,".":4}""", """{".a":1,"b.":2,"c..d":3,".":4}""")]
    public void DottedNames_MakeNestedObjects(string flat, string nested)
    {
        var body = new JsonObject();
        foreach (var (name, value) in JsonNode.Parse(flat)!.AsObject()) ToolParameters.Put(body, name, value?.DeepClone());
        Assert.Equal(nested, body.ToJsonString());
    }

    [Theory]
    [InlineData(KnownParameter.CallId, "\"call-1\"")]
    [InlineData(KnownParameter.CallStageId, "\"stage-1\"")]
    [InlineData(KnownParameter.OutputSampleRate, "24000")]
    [InlineData(KnownParameter.CallState, """{"step":2}""")]
    [InlineData(KnownParameter.CallMetadata, """{"who":"me"}""")]
    [InlineData(KnownParameter.ConversationHistory, """[{"text":"hi"}]""")]
    [InlineData(KnownParameter.ThreadId, "\"side\"")]
    [InlineData(KnownParameter.ThreadStates, """{"side":"idle"}""")]
    public void AutomaticParameter_HasItsValue(KnownParameter known, string json)
    {
        var invocation = Invoke("https://x.test/", []);
        var tool = invocation.Tool with { Definition = invocation.Tool.Definition with { AutomaticParameters = [new() { Name = "v", Location = ParameterLocation.Body, KnownValue = known }] } };
        Assert.Equal($$"""{"v":{{json}}}""", ToolParameters.Body(invocation with { Tool = tool }, Context).ToJsonString());
    }
}
