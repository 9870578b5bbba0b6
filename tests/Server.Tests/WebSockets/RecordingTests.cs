using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>The recording against what a client sent and played itself: the user left, the agent right, each when it was heard.</summary>
public sealed class RecordingTests(LiveSilo silo)
{
    private const int RateHz = 16_000;
    private const int PieceLength = 2_000;

    [Theory]
    [InlineData(16_000, 16_000, 60)]
    [InlineData(8_000, 48_000, 30_000)]
    public Task BothSides_AreWhereTheyWereHeard(int inputRateHz, int outputRateHz, int bufferMs)
        => MachineStalls.RetryAsync(() => CompareAsync(inputRateHz, outputRateHz, bufferMs));

    private async Task CompareAsync(int inputRateHz, int outputRateHz, int bufferMs)
    {
        using var api = await silo.CreateClientAsync();
        var counting = string.Join(' ', Enumerable.Range(1, 60));
        var request = LiveCall.Request($"When the call starts: say \"{counting}.\" When the user says \"meters\": say \"That is all.\"",
            $$"""{"recordingEnabled":true,"voice":"{{LiveSilo.Speaker}}"}""",
            $$"""{"inputSampleRate":{{inputRateHz}},"outputSampleRate":{{outputRateHz}},"clientBufferSizeMs":{{bufferMs}}}""");
        await using var call = await LiveCall.JoinAsync(api, request);
        var speaking = await call.WaitForStateAsync("speaking");
        await call.WaitUntilAsync(() => call.Now > speaking.At + 2 ? "" : null, "two seconds of speech");
        call.Say(HumanSpeech.OneTurn(inputRateHz));
        var clear = await call.WaitForAsync("playback_clear_buffer");
        var last = await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == "That is all.");
        await call.LeaveAsync();

        var (left, right) = await DownloadAsync(call);
        var played = HumanSpeech.At(RateHz, call.Played(speaker => speaker.Track), outputRateHz);
        var second = await call.WaitForStateAsync("speaking", clear.At);

        call.Stalls.Measure(() =>
        {
            double? Offset(short[] track, short[] sound, double at, double guess) => guess - Find(track, sound, at, guess - call.ConnectedAt);

            // The agent's two utterances are where the client's speaker played them, on a clock that starts with the connection.
            double[] times = [.. Loudest(played, speaking.At + 0.1, clear.At - 0.2), .. Loudest(played, second.At + 0.1, second.At + 0.9)];
            var agent = times.Select(at => Offset(right, played, at, at)).OfType<double>().ToList();
            Assert.InRange(agent.Count, times.Length * 2 / 3, times.Length);
            var zero = Median(agent);
            Assert.InRange(zero - call.ConnectedAt, -0.1, 0.1);
            Assert.All(agent, offset => Assert.InRange(offset - zero, -0.08, 0.08));

            // The user is where they spoke; a message of 20 ms comes when it is over.
            var said = call.Messages.First(m => m.Type == "said").At;
            var user = ((double[])[0.1, 0.5, 1]).Select(at => Offset(left, HumanSpeech.OneTurn(), at, said + at) - zero).OfType<double>().ToList();
            Assert.InRange(user.Count, 2, 3);
            Assert.InRange(Median(user), -0.1, 0.06);

            // The agent is cut off when the client was told to.
            var cut = (int)((clear.At - zero) * RateHz);
            Assert.Contains(right[(cut - RateHz / 2)..cut], sample => Math.Abs((int)sample) > 300);
            var rest = right[(cut + RateHz / 10)..(cut + RateHz)];
            Assert.True(rest.All(sample => Math.Abs((int)sample) < 100), $"There was sound {Array.FindLastIndex(rest, s => Math.Abs((int)s) >= 100) / (double)RateHz:0.000} s later.");
        });
    }

    [Fact]
    public async Task ACallWithoutRecording_HasNone()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, """{"firstSpeakerSettings":{"user":{}}}"""));
        await call.WaitForStateAsync("listening");
        await call.LeaveAsync();
        Assert.Equal(404, (await api.GetAsync($"/api/calls/{call.CallId}/recording")).Status);
    }

    /// <summary>Both channels, and a check of the header and of ranges on the way.</summary>
    private static async Task<(short[] Left, short[] Right)> DownloadAsync(LiveCall call)
    {
        using var whole = await call.Api.Http.GetAsync(new Uri($"/api/calls/{call.CallId}/recording", UriKind.Relative), SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.OK, "audio/wav"), (whole.StatusCode, whole.Content.Headers.ContentType?.MediaType));
        var wav = await whole.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
        Assert.Equal("RIFF"u8, wav.AsSpan(0, 4));
        Assert.Equal("WAVEfmt "u8, wav.AsSpan(8, 8));
        Assert.Equal((1, 2, RateHz, 16), (Word(wav, 20), Word(wav, 22), BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(24)), Word(wav, 34)));
        Assert.Equal(wav.Length - 8, BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(4)));
        Assert.Equal(wav.Length - 44, BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(40)));

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/calls/{call.CallId}/recording");
        request.Headers.Range = new RangeHeaderValue(44, 1043);
        using var part = await call.Api.Http.SendAsync(request, SiloFixture.Cancel);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal($"bytes 44-1043/{wav.Length}", part.Content.Headers.ContentRange?.ToString());
        Assert.Equal(wav[44..1044], await part.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));

        var samples = MemoryMarshal.Cast<byte, short>(wav.AsSpan(44)).ToArray();
        return (samples.Where((_, i) => i % 2 == 0).ToArray(), samples.Where((_, i) => i % 2 == 1).ToArray());
    }

    private static int Word(byte[] wav, int at) => BinaryPrimitives.ReadInt16LittleEndian(wav.AsSpan(at));

    /// <summary>Where in a track, in seconds, a piece of a sound is; null where nothing is alike.</summary>
    /// <param name="at">The piece's place in the sound.</param>
    /// <param name="guess">Its place in the track, to 0.4 s.</param>
    private static double? Find(short[] track, short[] sound, double at, double guess)
    {
        var piece = sound.AsSpan((int)(at * RateHz), PieceLength);
        var energy = Energy(piece);
        Assert.True(energy / PieceLength > 10_000, $"There is nothing to compare at {at:0.00} s.");
        var (likeness, found) = (0.0, 0);
        for (var i = Math.Max(0, (int)((guess - 0.4) * RateHz)); i < Math.Min(track.Length - PieceLength, (guess + 0.4) * RateHz); i++)
        {
            var there = track.AsSpan(i, PieceLength);
            var sum = 0.0;
            for (var k = 0; k < PieceLength; k++) sum += (double)piece[k] * there[k];
            var like = sum / Math.Sqrt(energy * Energy(there) + 1);
            if (like > likeness) (likeness, found) = (like, i);
        }
        return likeness > 0.75 ? found / (double)RateHz : null;
    }

    /// <summary>The three loudest of the pieces that begin each tenth of a second.</summary>
    private static IEnumerable<double> Loudest(short[] sound, double from, double to)
        => Enumerable.Range(0, (int)((Math.Min(to, (double)(sound.Length - PieceLength) / RateHz) - from) * 10)).Select(i => from + i / 10.0)
            .OrderByDescending(at => Energy(sound.AsSpan((int)(at * RateHz), PieceLength))).Take(3);

    private static double Median(IEnumerable<double> values) => values.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;

    private static double Energy(ReadOnlySpan<short> pcm)
    {
        var sum = 0.0;
        foreach (var sample in pcm) sum += (double)sample * sample;
        return sum;
    }
}
