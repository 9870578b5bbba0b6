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

        call.Stalls.Measure(() => HeardSound.Check(call, left, right, speaking, clear, second, played, HumanSpeech.OneTurn()));
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
}
