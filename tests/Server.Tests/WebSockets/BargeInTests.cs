using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>The user speaks into a long answer: silence at once, and the history keeps what was heard.</summary>
public sealed class BargeInTests(LiveSilo silo)
{
    private const int Words = 120;
    private const double SecondsPerWord = 60.0 / 180;       // the scripted voice's rate

    /// <summary>Seconds; a larger client buffer is not used, since recordings look so far ahead only.</summary>
    private const double MostAhead = 30;

    private static readonly string Counting = string.Join(' ', Enumerable.Range(1, Words).Select(i => $"word{i}"));

    /// <summary>The scripted recognizer hears "go forward ten meters" in everything.</summary>
    private static readonly string Prompt = $"""
        When the call starts: say "{Counting}."
        When the user says "ten meters": say "Going on."
        """;

    [Theory]
    [InlineData(16_000, 16_000, 60)]
    [InlineData(8_000, 48_000, 60)]
    [InlineData(48_000, 8_000, 30_000)]
    [InlineData(16_000, 24_000, 60_000)]
    public Task TheAgentFallsSilent_AndTheHistoryKeepsWhatWasHeard(int inputRateHz, int outputRateHz, int bufferMs)
        => MachineStalls.RetryAsync(() => BargeInAsync(inputRateHz, outputRateHz, bufferMs));

    private async Task BargeInAsync(int inputRateHz, int outputRateHz, int bufferMs)
    {
        using var api = await silo.CreateClientAsync();
        var medium = $$$"""
            {"inputSampleRate":{{{inputRateHz}}},"outputSampleRate":{{{outputRateHz}}},"clientBufferSizeMs":{{{bufferMs}}},"dataMessages":{"userStartedSpeaking":true}}
            """;
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(Prompt, medium: medium));
        var speaking = await call.WaitForStateAsync("speaking");
        await call.WaitForAsync("transcript", json => json.TryGetProperty("delta", out var delta) && delta.GetString()!.Contains("word5", StringComparison.Ordinal));

        call.Say(HumanSpeech.OneTurn(inputRateHz));
        var clear = await call.WaitForAsync("playback_clear_buffer");
        var cut = await call.WaitForFinalAsync("agent");
        var answer = await call.WaitForFinalAsync("agent", cut.At + 0.001);
        Assert.Equal("Going on.", answer.Json.GetProperty("text").GetString());

        // Three frames of speech (96 ms) are enough to interrupt; then the clear comes at once, and nothing of the old answer follows it.
        var userBegan = await call.WaitForAsync("user_started_speaking");
        var next = await call.WaitForStateAsync("speaking", clear.At);
        call.Stalls.Measure(() =>
        {
            Assert.InRange(clear.At - userBegan.At, 0, 0.3);
            Assert.DoesNotContain(call.Messages, m => m.Type == "audio" && m.At > clear.At + 0.15 && m.At < next.At - 0.15);
        });

        var text = cut.Json.GetProperty("text").GetString()!;
        Assert.StartsWith("word1 word2 word3 word4", text, StringComparison.Ordinal);
        Assert.True(text.Length < Counting.Length && Counting.StartsWith(text + " ", StringComparison.Ordinal), text);
        var words = text.Split(' ').Length;
        var heard = call.Played(speaker => speaker.SecondsPlayed(speaking.At - 1, clear.At)) / SecondsPerWord;
        call.Stalls.Measure(() => Assert.InRange(words, heard - 1.8, heard + 0.8));

        string[] said = [text, "go forward ten meters", "Going on."];
        await call.ListUntilAsync("messages?mode=in_call", list => list.Select(m => m.GetProperty("text").GetString()).SequenceEqual(said));
        Assert.Single((await call.ListUntilAsync("events", list => list.Any(e => e.GetProperty("type").GetString() == "interruption"))), e => e.GetProperty("type").GetString() == "interruption");
        call.Stalls.Measure(() => AssertPace(call, Math.Min(bufferMs / 1000.0, MostAhead)));
        await call.LeaveAsync();
    }

    /// <summary>Never further ahead of real time than the client's buffer; and where it is large, it is used.</summary>
    private static void AssertPace(LiveCall call, double bufferSeconds)
    {
        var leads = call.Played(speaker => speaker.Leads.ToList());
        // A message that comes late makes the others look early.
        Assert.InRange(leads.Order().ElementAt(leads.Count / 2), 0, bufferSeconds + 0.03);
        Assert.InRange(leads.Max(), bufferSeconds > 1 ? 0.9 * bufferSeconds : 0, bufferSeconds + 0.15);
    }
}
