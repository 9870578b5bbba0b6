using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Providers that fail during a call, over real HTTP: the call's log names it, the caller hears of it, and nobody waits for ever.</summary>
public sealed class ProviderFaultTests(LiveSilo silo)
{
    private const string Apology = "Sorry, I am having trouble right now. Could you say that again?";
    private const string FinalApology = "I am sorry, I cannot continue this call. Goodbye.";

    [Fact]
    public async Task WorkingProviders_AnswerASpokenTurn()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await JoinAsync(api, """{"model":"fake-works","voice":"Fake-works","languageHint":"de"}""");
        await SpeakAsync(call);
        var heard = await call.WaitForFinalAsync("user");
        Assert.Equal("hello there", heard.Json.GetProperty("text").GetString());
        var answer = await call.WaitForFinalAsync("agent");
        Assert.Equal(FakeProviders.Words + "And this.", answer.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(heard.At, answer.At));
        await call.LeaveAsync();
        Assert.Equal(0, Assert.Single(await call.ListAsync("stages")).GetProperty("errorCount").GetInt32());
    }

    [Theory]
    [InlineData("hangs", 1.4, 4)]
    [InlineData("fails", 0, 3)]
    public Task AModelThatFails_IsApologizedFor_AndAtLastTheCallEnds(string behaviour, double least, double most)
        => MachineStalls.RetryAsync(() => FailThriceAsync(behaviour, least, most));

    private async Task FailThriceAsync(string behaviour, double least, double most)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await JoinAsync(api, $$"""{"model":"fake-{{behaviour}}"}""");
        var after = 0.0;
        foreach (var apology in (string[])[Apology, Apology, FinalApology])
        {
            var asked = call.Now;
            await call.SendAsync("""{"type":"user_text_message","text":"Hello?"}""");
            var speaking = await call.WaitForStateAsync("speaking", asked);
            call.Stalls.Measure(() => Assert.InRange(speaking.At - asked, least, most));
            var said = await call.WaitForFinalAsync("agent", after);
            Assert.Equal(apology, said.Json.GetProperty("text").GetString());
            Assert.True(call.HasSound(speaking.At - 1, said.At));
            after = said.At + 0.001;
        }
        await call.WaitForCloseAsync();
        var ended = await call.EndedAsync();
        Assert.Equal("system_error", ended.GetProperty("endReason").GetString());
        Assert.Equal(3, Assert.Single(await call.ListAsync("stages")).GetProperty("errorCount").GetInt32());
        var errors = await EventsAsync(call, "model_error", 3);
        Assert.All(errors, e => Assert.Contains(behaviour, e.GetProperty("text").GetString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("cuts")]
    [InlineData("stalls")]
    public async Task AModelThatBreaksOff_IsHeardAsFarAsItCame_ThenApologizedFor(string behaviour)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await JoinAsync(api, $$"""{"model":"fake-{{behaviour}}"}""");
        await call.SendAsync("""{"type":"user_text_message","text":"Hello?"}""");
        var part = await call.WaitForFinalAsync("agent");
        Assert.Equal(FakeProviders.Words.Trim(), part.Json.GetProperty("text").GetString());
        var apology = await call.WaitForFinalAsync("agent", part.At + 0.001);
        Assert.Equal(Apology, apology.Json.GetProperty("text").GetString());
        Assert.Equal("hangup", (await call.LeaveAsync()).GetProperty("endReason").GetString());
        await EventsAsync(call, "model_error", 1);
    }

    [Theory]
    [InlineData("hangs")]
    [InlineData("fails")]
    [InlineData("cuts")]
    [InlineData("stalls")]
    public async Task AVoiceThatFails_IsReplacedByTheDefaultVoice(string behaviour)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await JoinAsync(api, $$"""{"voice":"Fake-{{behaviour}}"}""", """When the user says "weather": say "It will rain today." """);
        await call.SendAsync("""{"type":"user_text_message","text":"How is the weather?"}""");
        await call.WaitUntilAsync(
            () => HeardText(call) == "It will rain today." && call.Messages[^1].Type != "audio" && LastState(call) == "listening" ? "yes" : null, "the whole answer");
        Assert.True(call.Played(speaker => speaker.SecondsPlayed(0, call.Now)) > 1, call.Story());       // five words of the default voice
        Assert.Equal("hangup", (await call.LeaveAsync()).GetProperty("endReason").GetString());
        await EventsAsync(call, "speech_error", 1);
    }

    [Theory]
    [InlineData("hangs")]
    [InlineData("fails")]
    public async Task ARecognizerThatFails_IsApologizedFor(string behaviour)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await JoinAsync(api, $$"""{"languageHint":"{{FakeProviders.LanguageOf(behaviour)}}"}""");
        await SpeakAsync(call);
        var apology = await call.WaitForFinalAsync("agent");
        Assert.Equal(Apology, apology.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(0, apology.At));
        await call.LeaveAsync();
        await EventsAsync(call, "recognition_error", 1);
    }

    private static Task<LiveCall> JoinAsync(ApiClient api, string request, string? prompt = null)
    {
        var call = LiveCall.Request(prompt, request);
        call["firstSpeakerSettings"] = System.Text.Json.Nodes.JsonNode.Parse("""{"user":{}}""");
        return LiveCall.JoinAsync(api, call);
    }

    private static async Task SpeakAsync(LiveCall call)
    {
        await call.WaitForStateAsync("listening");
        call.Say(HumanSpeech.OneTurn());
    }

    private static string HeardText(LiveCall call) => string.Join(' ', call.Messages
        .Where(m => m.Type == "transcript" && m.Json.GetProperty("final").GetBoolean() && m.Json.GetProperty("role").GetString() == "agent")
        .Select(m => m.Json.GetProperty("text").GetString())).Trim();

    private static string? LastState(LiveCall call) => call.Messages.LastOrDefault(m => m.Type == "state")?.Json.GetProperty("state").GetString();

    private static Task<List<JsonElement>> EventsAsync(LiveCall call, string type, int least) => call.ListUntilAsync($"events?type={type}", list => list.Count >= least);
}
