using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.DataConnections;

/// <summary>What a customer's server hears of a live call, against what the client sent and played itself.</summary>
public sealed class DataConnectionSoundTests(LiveSilo silo)
{
    [Theory]
    [InlineData(16_000, false)]
    [InlineData(24_000, true)]
    public Task BothSides_AreWhereTheyWereHeard(int sampleRateHz, bool mixed) => MachineStalls.RetryAsync(() => CompareAsync(sampleRateHz, mixed));

    private async Task CompareAsync(int sampleRateHz, bool mixed)
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        var counting = string.Join(' ', Enumerable.Range(1, 60));
        var config = receiver.Config(mixed
            ? $"\"audioConfig\":{{\"sampleRate\":{sampleRateHz},\"channelMode\":\"CHANNEL_MODE_MIXED\"}},\"dataMessages\":{{\"playbackClearBuffer\":true}}"
            : "\"audioConfig\":{}");
        var request = LiveCall.Request($"When the call starts: say \"{counting}.\" When the user says \"meters\": say \"That is all.\"",
            $"{{\"voice\":\"{LiveSilo.Speaker}\",{config[1..]}");
        await using var call = await LiveCall.JoinAsync(api, request);
        var speaking = await call.WaitForStateAsync("speaking");
        await call.WaitUntilAsync(() => call.Now > speaking.At + 2 ? "" : null, "two seconds of speech");
        call.Say(HumanSpeech.OneTurn());
        var clear = await call.WaitForAsync("playback_clear_buffer");
        await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == "That is all.");
        var second = await call.WaitForStateAsync("speaking", clear.At);
        var lasted = call.Now - call.ConnectedAt;
        await call.LeaveAsync();
        var peer = await receiver.PeerAsync();
        await peer.WaitForEndAsync();

        Assert.Single(receiver.Peers);
        Assert.Equal([sampleRateHz / 50 * (mixed ? 1 : 2) * sizeof(short)], peer.AudioLengths.Distinct());
        Assert.Equal(mixed, peer.Types.Contains("playback_clear_buffer"));
        var all = peer.Audio;
        var left = HumanSpeech.At(16_000, mixed ? all : [.. all.Where((_, i) => i % 2 == 0)], sampleRateHz);
        var right = mixed ? left : HumanSpeech.At(16_000, [.. all.Where((_, i) => i % 2 == 1)], sampleRateHz);
        var played = HumanSpeech.At(16_000, call.Played(speaker => speaker.Track), call.OutputRateHz);
        call.Stalls.Measure(() =>
        {
            HeardSound.Check(call, left, right, speaking, clear, second, played, HumanSpeech.OneTurn());
            Assert.InRange(left.Length / 16_000.0, lasted - 0.2, lasted + 0.3);     // from the start to the end
        });
    }
}
