using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>A sound over the agent that is no interruption, as a client with a large buffer hears it; and the sound of single messages afterwards.</summary>
public sealed class InterruptionTests(LiveSilo silo)
{
    private const int RateHz = 16_000;
    private static readonly string Counting = string.Join(' ', Enumerable.Range(1, 18).Select(i => $"word{i}"));

    /// <summary>The scripted recognizer hears "go forward ten meters" in everything.</summary>
    private const string Settings = """{"interruption":{"backchannels":["go forward ten meters"]}}""";

    [Fact]
    public Task Backchannel_IsHeardSofter_AndNothingIsLost() => MachineStalls.RetryAsync(BackchannelAsync);

    private async Task BackchannelAsync()
    {
        using var api = await silo.CreateClientAsync();
        var request = LiveCall.Request($"When the call starts: say \"{Counting}.\"",
            $$"""{"recordingEnabled":true,"experimentalSettings":{{Settings}},"voice":"{{LiveSilo.Speaker}}"}""", """{"clientBufferSizeMs":5000}""");
        await using var call = await LiveCall.JoinAsync(api, request);
        var speaking = await call.WaitForStateAsync("speaking");
        await call.WaitUntilAsync(() => call.Now > speaking.At + 1 ? "" : null, "a second of speech");
        call.Say(HumanSpeech.OneTurn()[..5_000]);
        var softer = await call.WaitForAsync("playback_clear_buffer");
        var back = await call.WaitForAsync("playback_clear_buffer", after: softer.At + 0.001);
        var said = await call.WaitForFinalAsync("agent");
        await call.WaitForStateAsync("listening", said.At - 0.1);

        // Words that are recognized too late, on a machine that stands still, are an interruption.
        call.Stalls.Measure(() => Assert.Equal(Counting + ".", said.Json.GetProperty("text").GetString()));
        var types = (await call.ListUntilAsync("events", list => list.Any(e => e.GetProperty("type").GetString() == "backchannel"))).Select(e => e.GetProperty("type").GetString());
        Assert.DoesNotContain("interruption", types);
        Assert.Equal(2, call.Messages.Count(message => message.Type == "playback_clear_buffer"));
        call.Stalls.Measure(() => Assert.InRange(back.At - softer.At, 0.3, 0.6));
        await call.LeaveAsync();
        await call.EndedAsync();
        await CheckMessageAudioAsync(call);
    }

    private static async Task CheckMessageAudioAsync(LiveCall call)
    {
        var message = Assert.Single(await call.ListUntilAsync("messages", list => list.Count == 1));
        var seconds = Seconds(message, "end") - Seconds(message, "start");
        using var whole = await GetAsync(call, "messages/0/audio");
        Assert.Equal((HttpStatusCode.OK, "audio/wav"), (whole.StatusCode, whole.Content.Headers.ContentType?.MediaType));
        var wav = await whole.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
        var samples = MemoryMarshal.Cast<byte, short>(wav.AsSpan(44)).ToArray();
        Assert.InRange(samples.Length / (double)RateHz, seconds - 0.01, seconds + 0.01);
        Assert.Contains(samples, sample => Math.Abs((int)sample) > 300);

        using var part = await GetAsync(call, $"stages/{message.GetProperty("callStageId").GetString()}/messages/0/audio", new RangeHeaderValue(1_001, 2_000));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(wav[1_001..2_001], await part.Content.ReadAsByteArrayAsync(SiloFixture.Cancel));
        foreach (var path in new[] { "messages/7/audio", "stages/none/messages/0/audio", "messages/x/audio" })
        {
            using var missing = await GetAsync(call, path);
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        }
    }

    private static double Seconds(JsonElement message, string edge) => double.Parse(message.GetProperty("wallClockTimespan").GetProperty(edge).GetString()!.TrimEnd('s'));

    private static async Task<HttpResponseMessage> GetAsync(LiveCall call, string path, RangeHeaderValue? range = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/calls/{call.CallId}/{path}");
        request.Headers.Range = range;
        return await call.Api.Http.SendAsync(request, SiloFixture.Cancel);
    }
}
