using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;

namespace VoiceGrains.Server.Tests.Agents;

public sealed class TemplateFillerTests
{
    private static readonly JsonObject Context = JsonNode.Parse(
        """{"name":"Ann","n":3,"big":1.50,"yes":true,"none":null,"a":{"b":{"c":"deep"}},"list":[1,"x"],"tricky":"{{name}} $1 \\ \"","Größe":"XL"}""")!.AsObject();

    [Theory]
    [InlineData("Hello {{name}}!", "Hello Ann!")]
    [InlineData("{{ name }}{{\tname\n}}{{{name}}}", "AnnAnnAnn")]
    [InlineData("{{n}} {{big}} {{yes}} [{{none}}] [{{missing}}] [{{name.more}}]", "3 1.50 true [] [] []")]
    [InlineData("{{a.b.c}} {{a.b}} {{list}}", """deep {"c":"deep"} [1,"x"]""")]
    [InlineData("{{tricky}}", "{{name}} $1 \\ \"")]   // what is filled in is never read again
    [InlineData("{{Größe}}", "XL")]
    [InlineData("{name} {text} }} { {", "{name} {text} }} { {")]
    [InlineData("", "")]
    public void Fill_ReplacesEachVariable(string text, string filled) => Assert.Equal(filled, TemplateText.Fill(text, Context));

    [Theory]
    [InlineData("{{name}} {{a.b-c.d_1}}", null)]
    [InlineData("no template", null)]
    [InlineData("{{name", "A template's '{{' has no '}}'.")]
    [InlineData("{{}}", "'{{}}' is not a template variable.")]
    [InlineData("{{a b}}", "'{{a b}}' is not a template variable.")]
    [InlineData("{{a..b}}", "'{{a..b}}' is not a template variable.")]
    [InlineData("{{#each x}}", "'{{#each x}}' is not a template variable.")]
    public void Problem_TellsWhatIsNoTemplate(string text, string? problem) => Assert.Equal(problem, TemplateText.Problem(text));

    [Fact]
    public void Templates_NeverThrow_AndKeepTextAroundThem() => Prop.ForAll(
        Gen.Elements("{{", "}}", "{", "}", "name", "a.b", " ", "#", "x", "\n").ListOf().Select(string.Concat).ToArbitrary(), text =>
        {
            var problem = TemplateText.Problem(text);
            var filled = TemplateText.Fill(text, Context);
            if (!text.Contains("{{", StringComparison.Ordinal)) Assert.Equal(text, filled);
            else if (problem is null) Assert.DoesNotContain("{{", filled, StringComparison.Ordinal);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Fill_ReachesEveryString_ButSchemaAndSecrets()
    {
        var template = new CallTemplate
        {
            SystemPrompt = "{{name}}",
            Voice = "{{name}}",
            InactivityMessages = [new() { Message = "{{name}}?", Duration = TimeSpan.FromSeconds(5) }],
            FirstSpeakerSettings = new() { Agent = new() { Text = "Hi {{name}}" } },
            SelectedTools = [new() { ToolName = "hangUp", DescriptionOverride = "For {{name}}", ParameterOverrides = new() { ["reason"] = "{{a.b.c}}" }, AuthTokens = new Dictionary<string, string> { ["k"] = "{{name}}" } }],
            SharedSecrets = ["{{name}}"],
            ContextSchema = JsonNode.Parse("""{"title":"{{name}}"}""")!.AsObject(),
            MaxDuration = TimeSpan.FromSeconds(90),
        };
        var filled = TemplateFiller.Fill(template, Context);
        Assert.Equal(("Ann", "Ann", "Ann?", "Hi Ann"), (filled.SystemPrompt, filled.Voice, filled.InactivityMessages![0].Message, filled.FirstSpeakerSettings!.Agent!.Text));
        SelectedTool tool = filled.SelectedTools![0];
        Assert.Equal(("For Ann", "deep", "Ann"), (tool.DescriptionOverride, tool.ParameterOverrides!["reason"]!.GetValue<string>(), tool.AuthTokens!["k"]));
        Assert.Equal(("{{name}}", "{{name}}"), (filled.SharedSecrets![0], filled.ContextSchema!["title"]!.GetValue<string>()));
        Assert.Equal(TimeSpan.FromSeconds(90), filled.MaxDuration);
        Assert.Equal("{{name}}", template.SystemPrompt);
    }

    [Theory]
    [InlineData("""{}""", """{"templateContext":["customer: This field is required.","when: This field is required."]}""")]
    [InlineData("""{"when":1,"customer":{}}""", """{"templateContext":["customer.name: This field is required."]}""")]
    [InlineData("""{"when":1,"customer":"Ann"}""", """{"templateContext":["customer: Must be of type object."]}""")]
    public void Fill_WithoutWhatTheTemplatesUse_SaysWhatIsMissing(string context, string problems)
    {
        var refused = Assert.Throws<InvalidInputException>(
            () => TemplateFiller.Fill(new CallTemplate { SystemPrompt = "{{customer.name}} {{when}}" }, JsonNode.Parse(context)!.AsObject()));
        Assert.Equal(problems, refused.Errors.ToJson().ToJsonString());
    }
}
