using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Language.Rules;

namespace VoiceGrains.Providers.Tests.Language.Rules;

/// <summary>Prompts are tenants' text and turns are strangers' speech: neither may break the model.</summary>
public sealed class RulesFuzzTests
{
    private static readonly string[] Scraps =
    [
        "When the user says ", "If the caller asks ", "Otherwise: ", "\"a * b\"", "\"#\"", "\"{x}\"", "“order {#n}”", ": ", ", ", "say ", "\"hi $1 {x}\"", "call t ", "with ", "{\"a\": $1}", "{\"b\": \"{x}\"}",
        "{", "}", "\"", "\\", "and ", "then ", "hang up", "repeat", "\n", ".", "* * *", "When t answers", "when the call starts", "a ", "b ", "twenty ", "one ", "hundred ", "thousand ", "5 ", "you are Anna ", "é", "😀", "\0",
        "summarize the call ", "User: x\n", "hello ", "count to 9", "t ",
    ];

    private static readonly ModelTool Tool = new("t", "", JsonNode.Parse("""{"properties":{"x":{"type":"string"},"n":{"type":"integer"},"e":{"enum":["a","b c"]}},"required":["x","n","e"]}""")!.AsObject());

    [Fact]
    public void AnyPromptAndTurn_IsAnsweredTheSameTwice()
    {
        var text = Gen.ListOf(Gen.Elements(Scraps)).Select(string.Concat);
        var role = Gen.Elements(ChatRole.User, ChatRole.Agent, ChatRole.ToolResult, ChatRole.ToolCall, ChatRole.System);
        var history = Gen.ListOf(Gen.Zip(role, text));
        Prop.ForAll(Arb.From(Gen.Zip(text, history)), sample =>
        {
            var messages = sample.Item2.Select(m => new ChatMessage(m.Item1, m.Item2) { ToolName = "t" }).ToList();
            var request = new ModelRequest("rules", sample.Item1, messages, [Tool]);
            var (first, second) = (RuleBook.Answer(request), RuleBook.Answer(request));
            Assert.Equal((first.Text, string.Join('|', first.Calls)), (second.Text, string.Join('|', second.Calls)));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Captures_NeverBreakTheArgumentsJson()
        => Prop.ForAll(Arb.From(Gen.ListOf(Gen.Elements("a", "\"", "\\", "{", "}", "5", " ", "\n", "ü", "\uD800", "$1")).Select(string.Concat)), said =>
        {
            var words = RuleToken.Split("order " + said + " x");
            Assert.True(RulePattern.TryParse("order *")!.TryMatch("order " + said + " x", words, out var captures));
            using var arguments = JsonDocument.Parse(captures.FillJson("""{"in": "<$1>", "bare": $1}"""));
            Assert.Equal($"<{captures.FillText("$1")}>".Replace('\uD800', '\uFFFD'), arguments.RootElement.GetProperty("in").GetString());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void NumbersInWords_AreReadBackFromTheirSpelling()
        => Prop.ForAll(Arb.From(Gen.Choose(0, 999_999)), number =>
        {
            var token = Assert.Single(RuleToken.Split(NumberWords.Spell(number)));
            Assert.Equal((number.ToString(System.Globalization.CultureInfo.InvariantCulture), true), (token.Key, token.IsNumber));
        }).QuickCheckThrowOnFailure();
}
