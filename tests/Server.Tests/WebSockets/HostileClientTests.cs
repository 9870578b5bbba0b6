using System.Net.WebSockets;
using System.Text;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Clients that break the rules or vanish: their own call ends or goes on with a word in its log, and nobody else notices.</summary>
public sealed class HostileClientTests(LiveSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";

    [Theory]
    [InlineData("this is no JSON")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("""{"type":"no_such_message"}""")]
    [InlineData("""{"type":17}""")]
    [InlineData("""{"type":"user_text_message"}""")]
    [InlineData("""{"type":"user_text_message","text":"Hi","urgency":"now"}""")]
    [InlineData("""{"type":"user_text_message","text":"Hi","text":"Ho"}""")]
    [InlineData("""{"type":"set_output_medium","medium":{"a":[]}}""")]
    [InlineData("""{"type":"user_text_message","text":"Hi","threadId":"elsewhere"}""")]
    [InlineData("""{"type":"client_tool_result","invocationId":"unasked","result":"1"}""")]
    [InlineData("""{"type":"forced_agent_message","content":"","toolCalls":[{"name":"x"},3]}""")]
    [InlineData("deep")]
    public async Task AMessageThatMakesNoSense_IsIgnoredAndNoted(string text)
    {
        if (text == "deep") text = $$"""{"type":"ping","timestamp":{{new string('[', 20_000)}}{{new string(']', 20_000)}}}""";
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst, """{"dataMessages":{"callEvent":true}}"""), microphone: false);
        await call.SendAsync(text);
        var noted = await call.WaitForAsync("call_event");
        Assert.Equal("warning", noted.Json.GetProperty("severity").GetString());
        await call.SendAsync("""{"type":"ping","timestamp":1}""");
        await call.WaitForAsync("pong");
        await call.LeaveAsync();
    }

    [Fact]
    public async Task FragmentedEmptyAndOddMessages_AreTaken()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst, """{"dataMessages":{"callEvent":true}}"""), microphone: false);
        await call.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Binary);
        await call.SendAsync(new byte[641], WebSocketMessageType.Binary);
        await call.WaitForAsync("call_event", json => json.GetProperty("eventType").GetString() == "invalid_audio");
        // A message in single bytes, with empty fragments between.
        var ping = Encoding.UTF8.GetBytes("""{"type":"ping","timestamp":3}""");
        for (var i = 0; i < ping.Length; i++)
        {
            await call.SendAsync(ping.AsMemory(i, 1), WebSocketMessageType.Text, endOfMessage: false);
            await call.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Text, endOfMessage: i == ping.Length - 1);
        }
        await call.WaitForAsync("pong");
        // Sound in fragments of one byte: the samples are whole again.
        for (var i = 0; i < 99; i++) await call.SendAsync(new byte[1], WebSocketMessageType.Binary, endOfMessage: false);
        await call.SendAsync(new byte[1], WebSocketMessageType.Binary);
        await call.SendAsync("""{"type":"ping","timestamp":4}""");
        await call.WaitForAsync("pong", json => json.GetProperty("timestamp").GetInt32() == 4);
        await call.LeaveAsync();
    }

    [Theory]
    [InlineData(WebSocketMessageType.Text, 70_000)]
    [InlineData(WebSocketMessageType.Binary, 10_000_000)]
    public async Task AMessageThatIsTooBig_ClosesTheCallWith1009(WebSocketMessageType type, int bytes)
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst), microphone: false);
        try
        {
            await call.SendAsync(new byte[bytes].Select(_ => (byte)' ').ToArray(), type);
        }
        catch (WebSocketException)
        {
            // Cut off while sending.
        }
        await call.WaitForCloseAsync();
        Assert.True(call.Socket.CloseStatus == WebSocketCloseStatus.MessageTooBig, call.Story());
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
        await call.ListUntilAsync("events?type=message_too_big", list => list.Count == 1);
    }

    [Fact]
    public Task AFlood_IsCutBackAndNoted_AndOtherCallsKeepTheirPace() => MachineStalls.RetryAsync(FloodAsync);

    private async Task FloodAsync()
    {
        using var api = await silo.CreateClientAsync();
        var counting = string.Join(' ', Enumerable.Range(1, 60));
        await using var bystander = await LiveCall.JoinAsync(api, LiveCall.Request($"When the call starts: say \"{counting}.\""));
        await bystander.WaitForStateAsync("speaking");
        var began = bystander.Now;

        await using var flood = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst), microphone: false);
        for (var i = 0; i < 10_000; i++) await flood.SendAsync("""{"type":"ping","timestamp":1}""");
        var second = new byte[32_000];
        for (var i = 0; i < 30; i++) await flood.SendAsync(second, WebSocketMessageType.Binary);      // half a minute of sound at once
        await flood.ListUntilAsync("events?type=audio_overflow", list => list.Count > 0);
        await flood.ListUntilAsync("events?type=messages_dropped", list => list.Count > 0);
        await flood.SendAsync("""{"type":"user_text_message","text":"hello"}""");
        await flood.WaitForFinalAsync("agent");
        await flood.LeaveAsync();

        // The flooded second and what follows: sound went on, never later than its 60 ms of buffer and the machine allow.
        await bystander.WaitUntilAsync(() => bystander.Now > began + 4 ? "" : null, "four seconds of speech");
        var arrivals = bystander.Messages.Where(m => m.Type == "audio" && m.At > began).Select(m => m.At).ToList();
        var gaps = arrivals.Zip(arrivals.Skip(1), (a, b) => b - a).ToList();
        bystander.Stalls.Measure(() =>
        {
            Assert.True(gaps.Order().ElementAt(gaps.Count * 95 / 100) < 0.08, $"95 % of gaps up to {gaps.Order().ElementAt(gaps.Count * 95 / 100):0.000} s");
            Assert.True(gaps.Max() < 0.5, $"A gap of {gaps.Max():0.00} s");
        });
        await bystander.LeaveAsync();
    }

    [Fact]
    public async Task AClientThatNeverReads_IsLost_AndCostsNoMoreThanItsBuffer()
    {
        using var api = await silo.CreateClientAsync();
        var endless = string.Join(' ', Enumerable.Repeat("word", 3_000));
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request($"When the call starts: say \"{endless}.\"",
            medium: """{"outputSampleRate":48000,"clientBufferSizeMs":60000}"""));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await call.JoinAsync(microphone: true, speaker: false);
        var ended = await call.EndedAsync(TimeSpan.FromSeconds(90));
        Assert.Equal("connection_error", ended.GetProperty("endReason").GetString());
        var lasted = (ended.GetProperty("ended").GetDateTimeOffset() - ended.GetProperty("joined").GetDateTimeOffset()).TotalSeconds;
        Assert.InRange(lasted, 9, 60);
        // Other tests' memory is in the figure as long as they run: it must come under the bound, not be there at this moment.
        for (var end = DateTime.UtcNow.AddSeconds(30); GC.GetTotalMemory(forceFullCollection: true) - before > 100_000_000 && DateTime.UtcNow < end;)
            await Task.Delay(500, SiloFixture.Cancel);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 100_000_000);
    }
}
