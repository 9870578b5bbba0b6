using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>External voices in whole calls, over real sockets to fakes of the providers: what is heard, what the log says, and what the history keeps.</summary>
public sealed class VoiceFailureTests(LiveSilo silo)
{
    private const string Greeting = "Hello my dear friend.";

    [Fact]
    public async Task ExceededQuota_IsToldInTheProvidersWords_AndTheServersVoiceSpeaks()
    {
        using var client = await silo.CreateClientAsync();
        await using var call = await JoinAsync(client, "cartesia", silo.Cartesia.Key, """{"cartesia":{"voiceId":"v"}}""");
        await AssertHeardAsync(call);
        await call.SendAsync($$"""{"type":"forced_agent_message","content":"{{Greeting}}"}""");
        await AssertHeardAsync(call, call.Now);
        var sessions = silo.Cartesia.Sessions.Count;
        await call.LeaveAsync();

        var error = Assert.Single(await ErrorsAsync(call));        // not once for each sentence
        Assert.Equal("You have run out of credits.", error.GetProperty("text").GetString());
        Assert.Equal(("cartesia", "Rejected", 402), (Extra(error, "provider").GetString(), Extra(error, "fault").GetString(), Extra(error, "status").GetInt32()));
        Assert.Equal(1, sessions);
        Assert.DoesNotContain(silo.Cartesia.Key, error.GetRawText(), StringComparison.Ordinal);
        Assert.Empty(silo.Cartesia.Violations);
    }

    [Fact]
    public async Task AProviderThatBreaksOff_IsFollowedByTheServersVoice_InOneMessage()
    {
        using var client = await silo.CreateClientAsync();
        await using var call = await JoinAsync(client, "inworld", silo.Inworld.Key, """{"inworld":{"voiceId":"Dennis"}}""");
        var said = await AssertHeardAsync(call);
        await call.LeaveAsync();
        Assert.StartsWith("inworld broke off its answer: ", Assert.Single(await ErrorsAsync(call)).GetProperty("text").GetString(), StringComparison.Ordinal);
        var whole = silo.Inworld.Spoken.First(s => s.Text == Greeting).Seconds;
        Assert.True(call.Played(speaker => speaker.SecondsPlayed(0, said.At)) > whole / 2, call.Story());
        Assert.Equal(Greeting, Assert.Single(await call.ListUntilAsync("messages", list => list.Count == 1)).GetProperty("text").GetString());
    }

    [Fact]
    public async Task AGenericVoiceThatFails_IsToldWithRequestAndResponse_AndWithoutItsHeaders()
    {
        using var client = await silo.CreateClientAsync();
        var voice = new JsonObject
        {
            ["generic"] = new JsonObject
            {
                ["url"] = $"{silo.Providers.UrlOf("fails")}/audio/speech", ["headers"] = new JsonObject { ["Authorization"] = "Bearer secret-0123456789" },
                ["body"] = new JsonObject { ["input"] = "{text}" }, ["responseSampleRate"] = 24_000,
            },
        };
        await using var call = await JoinAsync(client, null, null, voice.ToJsonString());
        await AssertHeardAsync(call);
        await call.LeaveAsync();
        var error = Assert.Single(await ErrorsAsync(call));
        Assert.Equal($$$"""HTTP error: 500 Response:{"error":{"message":"out of order"}} Request:{"input":"{{{Greeting}}}"}""", error.GetProperty("text").GetString());
        Assert.DoesNotContain("secret-0123456789", error.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public Task AnInterruptedVoice_LeavesTheWordsWhoseTimesWerePlayed() => MachineStalls.RetryAsync(InterruptAsync);

    private async Task InterruptAsync()
    {
        using var client = await silo.CreateClientAsync();
        var text = string.Join(' ', Enumerable.Range(1, 24).Select(i => $"number{i}")) + ".";
        await using var call = await JoinAsync(client, "elevenLabs", silo.ElevenLabs.Key, """{"elevenLabs":{"voiceId":"interrupted"}}""", text);
        var speaking = await call.WaitForStateAsync("speaking");
        await call.WaitUntilAsync(() => call.Now > speaking.At + 1.5 ? "" : null, "a second and a half of speech");
        call.Say(HumanSpeech.OneTurn());
        var clear = await call.WaitForAsync("playback_clear_buffer");
        var said = await call.WaitForFinalAsync("agent");
        await call.LeaveAsync();

        var heard = said.Json.GetProperty("text").GetString()!;
        Assert.StartsWith(heard, text, StringComparison.Ordinal);
        var played = call.Played(speaker => speaker.SecondsPlayed(0, clear.At));
        var spoken = silo.ElevenLabs.Spoken.First(s => s.Text.Trim() == text);
        var count = heard.Split(' ').Length;
        // The client's buffer and the wire are between what was played and when the silo knew of it.
        call.Stalls.Measure(() => Assert.InRange(spoken.Words[count - 1].Until, played - 1.0, played + 0.3));
        Assert.True(count < 24, heard);
    }

    private static async Task<LiveCall> JoinAsync(ApiClient client, string? provider, string? key, string externalVoice, string greeting = Greeting)
    {
        if (provider is not null) Assert.Equal(200, (await client.PatchAsync("/api/accounts/me/tts_api_keys", JsonSerializer.Serialize(new Dictionary<string, string?> { [provider] = key }))).Status);
        var request = LiveCall.Request("Be kind.", $$"""{"externalVoice":{{externalVoice}}}""");
        request["firstSpeakerSettings"] = new JsonObject { ["agent"] = new JsonObject { ["text"] = greeting } };
        return await LiveCall.JoinAsync(client, request);
    }

    private static async Task<Received> AssertHeardAsync(LiveCall call, double after = 0)
    {
        var said = await call.WaitForFinalAsync("agent", after);
        Assert.Equal(Greeting, said.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(after, said.At), call.Story());
        return said;
    }

    private static Task<List<JsonElement>> ErrorsAsync(LiveCall call) => call.ListUntilAsync("events?type=speech_error", events => events.Count > 0);

    private static JsonElement Extra(JsonElement error, string name) => error.GetProperty("extras").GetProperty(name);
}
