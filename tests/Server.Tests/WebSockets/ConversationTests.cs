using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>A person's recorded speech through a real socket, pocketsphinx, the rules model and flite, in real time.</summary>
public sealed class ConversationTests(LiveSilo silo)
{
    private const string Prompt = """
        You are Anna.
        When the call starts: say "Hello, this is Anna."
        When the user says "ten meters": say "All right. I am going forward ten meters now."
        """;

    private const string Speech = $$"""{"languageHint":"en","voice":"{{LiveSilo.Speaker}}"}""";

    [Fact]
    public Task HumanSpeech_IsUnderstoodAndAnsweredAudibly() => MachineStalls.RetryAsync(ConverseAsync);

    private async Task ConverseAsync()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, Speech));
        var started = await call.WaitForAsync("call_started");
        Assert.Equal(call.CallId, started.Json.GetProperty("callId").GetString());
        var greeting = await call.WaitForFinalAsync("agent");
        Assert.Equal("Hello, this is Anna.", greeting.Json.GetProperty("text").GetString());
        await call.WaitForStateAsync("listening", greeting.At);

        call.Say(HumanSpeech.GoForward());
        var heard = await call.WaitForFinalAsync("user");
        // Sound that stops for longer than the endpoint delay ends a turn: a stalled microphone would be heard in two parts.
        call.Stalls.Measure(() => Assert.Equal("go forward ten meters", heard.Json.GetProperty("text").GetString()));
        var answer = await call.WaitForFinalAsync("agent", heard.At);
        Assert.Equal("All right. I am going forward ten meters now.", answer.Json.GetProperty("text").GetString());
        await call.WaitForStateAsync("listening", answer.At);

        var states = call.Messages.Where(m => m.Type == "state").Select(m => m.Json.GetProperty("state").GetString()).SkipWhile(state => state != "speaking").ToList();
        Assert.Equal(["speaking", "listening"], states[..2]);
        Assert.Equal(["thinking", "speaking", "listening"], states[^3..]);      // between: the recording's noise may pass for a turn without words
        AssertTranscripts(call, (0, "agent"), (1, "user"), (2, "agent"));
        AssertSpeech(call, 0, greeting.At, 0.8);
        AssertSpeech(call, heard.At, answer.At, 2);

        var ended = await call.LeaveAsync();
        Assert.Equal("hangup", ended.GetProperty("endReason").GetString());
        var messages = await call.ListAsync("messages?mode=in_call");
        Assert.Equal(["MESSAGE_ROLE_AGENT", "MESSAGE_ROLE_USER", "MESSAGE_ROLE_AGENT"], messages.Select(m => m.GetProperty("role").GetString()));
        Assert.Equal(["Hello, this is Anna.", "go forward ten meters", "All right. I am going forward ten meters now."], messages.Select(m => m.GetProperty("text").GetString()));
    }

    /// <summary>Each ordinal belongs to one side, they come in order, and what came bit by bit is what came whole.</summary>
    private static void AssertTranscripts(LiveCall call, params (int Ordinal, string Role)[] expected)
    {
        var transcripts = call.Messages.Where(m => m.Type == "transcript").Select(m => m.Json).ToList();
        var byOrdinal = transcripts.GroupBy(json => json.GetProperty("ordinal").GetInt32()).ToList();
        Assert.Equal(expected, byOrdinal.Select(group => (group.Key, Assert.Single(group.Select(json => json.GetProperty("role").GetString()!).Distinct()))));
        foreach (var group in byOrdinal)
        {
            Assert.True(group.Last().GetProperty("final").GetBoolean());
            Assert.Single(group, json => json.GetProperty("final").GetBoolean());
            Assert.All(group, json => Assert.True(json.TryGetProperty("text", out _) ^ json.TryGetProperty("delta", out _)));
            var deltas = group.Where(json => json.TryGetProperty("delta", out _)).Select(json => json.GetProperty("delta").GetString()).ToList();
            if (deltas.Count > 0) Assert.Equal(group.Last().GetProperty("text").GetString(), string.Concat(deltas).Trim());
        }
    }

    /// <summary>Sound that swells and falls as speech does, for at least so long.</summary>
    private static void AssertSpeech(LiveCall call, double from, double to, double leastSeconds)
    {
        var pcm = call.Messages.Where(m => m.Type == "audio" && m.At >= from && m.At <= to).SelectMany(m => m.Pcm).ToArray();
        var levels = pcm.Chunk(call.OutputRateHz / 50).Select(frame => Math.Sqrt(frame.Average(sample => (double)sample * sample))).ToList();
        var loud = levels.Count(level => level > 500) / 50.0;
        Assert.True(loud >= leastSeconds, $"Only {loud:0.0} s of {levels.Count / 50.0:0.0} s were audible. {call.Story()}");
        Assert.True(levels.Max() > 3 * levels.Order().ElementAt(levels.Count / 10), "The sound is as even as a tone.");
    }
}
