using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Durability;

/// <summary>The built silo as a process, stopped or killed in the middle of a call.</summary>
public sealed class LiveCallRestartTests(InitializedData initialized) : IClassFixture<InitializedData>, IDisposable
{
    private const string Prompt = """
        When the user says "ten meters": say "One two three four five six seven eight nine ten."
        When the user says "hello": say "Hello."
        """;

    /// <summary>An answer that lasts until whoever waits for its middle has acted.</summary>
    private static readonly string LongPrompt = Prompt.Replace("ten.", "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen.", StringComparison.Ordinal);

    private readonly string folder = InitializedData.MakeFolder();

    private string Data => Path.Combine(folder, "data");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task AKilledSilo_LosesNothingOfACallButItsLastSecond()
    {
        initialized.CopyTo(Data);
        string callId;
        double spoken;
        await using (var killed = await SiloProcess.StartReadyAsync(Data))
        {
            using var api = await ClientAsync(killed);
            await using var call = await JoinAsync(api, LongPrompt);
            call.Say(HumanSpeech.GoForward());
            await call.WaitForFinalAsync("user");
            callId = call.CallId;
            // What the API has shown is stored; the journal's last 50 ms may go with the process.
            await call.WaitForAsync("transcript", json => json.TryGetProperty("delta", out var delta) && delta.GetString()!.Contains("eight", StringComparison.Ordinal));
            await call.ListUntilAsync("messages", list => list.Count == 2, LiveCall.Patience);
            killed.KillHard();
            spoken = call.Now - call.ConnectedAt;
            await call.WaitForCloseAsync();
            await killed.ExitAsync(TimeSpan.FromSeconds(30));
        }

        await using var next = await SiloProcess.StartReadyAsync(Data, ("Calls__Resume__Grace", "00:00:01"));
        using var again = await ClientAsync(next);
        var ended = await EndedAsync(again, callId);
        Assert.Equal("connection_error", ended.GetProperty("endReason").GetString());
        var lasted = (ended.GetProperty("ended").GetDateTimeOffset() - ended.GetProperty("joined").GetDateTimeOffset()).TotalSeconds;
        Assert.InRange(lasted, spoken - 3, spoken + 1);

        var messages = (await again.GetAsync($"/api/calls/{callId}/messages")).Json.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal("go forward ten meters", messages[0].GetProperty("text").GetString());
        Assert.StartsWith("One two three", messages[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        await ShownAsync(again, callId, "call_ended");        // the journal stores it a moment after the end

        var wav = await again.Http.GetByteArrayAsync(new Uri($"/api/calls/{callId}/recording", UriKind.Relative), SiloFixture.Cancel);
        Assert.Equal("RIFF"u8, wav.AsSpan(0, 4));
        var length = BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(40));        // a player goes by the header
        Assert.InRange(length, 1, wav.Length - 44);
        Assert.InRange(length / 64_000.0, spoken - 3, spoken + 1);
        var samples = MemoryMarshal.Cast<byte, short>(wav.AsSpan(44, length)).ToArray();
        Assert.Contains(samples.Where((_, i) => i % 2 == 0), sample => Math.Abs((int)sample) > 1_000);       // the user
        Assert.Contains(samples[^64_000..].Where((_, i) => i % 2 == 1), sample => Math.Abs((int)sample) > 1_000);       // the agent, to the end

        await using var fresh = await JoinAsync(again);
        await fresh.SendAsync("""{"type":"user_text_message","text":"hello"}""");
        await fresh.WaitForFinalAsync("agent");
        Assert.Equal("hangup", (await fresh.LeaveAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task AKilledSilosCall_GoesOn_WhenItsClientComesBackToTheNextOne()
    {
        initialized.CopyTo(Data);
        LiveCall call;
        await using (var killed = await SiloProcess.StartReadyAsync(Data))
        {
            using var api = await ClientAsync(killed);
            call = await JoinAsync(api);
            call.Say(HumanSpeech.GoForward());
            await call.WaitForFinalAsync("agent");
            await call.ListUntilAsync("messages", list => list.Count == 2 && list[1].GetProperty("text").GetString()!.EndsWith("ten.", StringComparison.Ordinal));
            killed.KillHard();
            await call.WaitForCloseAsync();
            await killed.ExitAsync(TimeSpan.FromSeconds(10));
        }

        await using var lost = call;
        await using var next = await SiloProcess.StartReadyAsync(Data);
        using var again = await ClientAsync(next);
        await using var back = await call.ReturnAsync(again);
        await back.WaitForStateAsync("listening");
        back.Say(HumanSpeech.GoForward());
        var said = await back.WaitForFinalAsync("user");
        Assert.True(said.Json.GetProperty("ordinal").GetInt32() >= 2, said.Json.ToString());
        await back.WaitForFinalAsync("agent");
        var ended = await back.LeaveAsync();
        Assert.Equal("hangup", ended.GetProperty("endReason").GetString());

        var messages = await back.ListAsync("messages");
        Assert.Equal(["go forward ten meters", "One", "go forward ten meters", "One"], messages.Select(m => m.GetProperty("text").GetString()!).Select((text, i) => i % 2 == 0 ? text : text.Split(' ')[0]));
        var times = messages.Select(m => m.GetProperty("wallClockTimespan").GetProperty("start").GetString()).Select(start => double.Parse(start!.TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(times.Order(), times);
        var events = (await back.ListUntilAsync("events", list => list.Any(e => e.GetProperty("type").GetString() == "call_ended"))).Select(e => e.GetProperty("type").GetString()).ToList();
        Assert.Equal("call_resumed", events.Single(type => type is "call_resumed"));
        Assert.Equal("call_ended", events[^1]);

        // One recording: the user's words in both halves, silence while the server was away.
        var wav = await again.Http.GetByteArrayAsync(new Uri($"/api/calls/{back.CallId}/recording", UriKind.Relative), SiloFixture.Cancel);
        var samples = MemoryMarshal.Cast<byte, short>(wav.AsSpan(44)).ToArray().Where((_, i) => i % 2 == 0).ToArray();
        Assert.Equal(wav.Length - 44, BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(40)));
        var second = (int)(times[2] * 16_000);
        Assert.Contains(samples.Take((int)(times[1] * 16_000)), sample => Math.Abs((int)sample) > 1_000);
        Assert.Contains(samples.Skip(second), sample => Math.Abs((int)sample) > 1_000);
    }

    [Fact]
    public async Task AConnectionThatBreaks_IsTakenUpAgain_OnTheSameSilo()
    {
        initialized.CopyTo(Data);
        await using var silo = await SiloProcess.StartReadyAsync(Data);
        using var api = await ClientAsync(silo);
        await using var call = await JoinAsync(api);
        await call.SendAsync("""{"type":"user_text_message","text":"ten meters"}""");
        await call.WaitForAsync("transcript", json => json.TryGetProperty("delta", out var delta) && delta.GetString()!.Contains("three", StringComparison.Ordinal));
        await call.VanishAsync();

        await using var back = await ReturnOnceFreeAsync(call);
        await back.SendAsync("""{"type":"user_text_message","text":"ten meters"}""");
        await back.WaitForFinalAsync("agent");
        Assert.Equal("hangup", (await back.LeaveAsync()).GetProperty("endReason").GetString());
        var texts = (await back.ListAsync("messages")).Select(m => m.GetProperty("text").GetString()!).ToList();
        Assert.Equal(4, texts.Count);
        Assert.StartsWith("One two", texts[1], StringComparison.Ordinal);
        Assert.False(texts[1].EndsWith("ten.", StringComparison.Ordinal), texts[1]);      // what was heard when the line broke
        Assert.EndsWith("ten.", texts[3], StringComparison.Ordinal);
    }

    /// <summary>Until the silo knows that the old connection is gone, the URL is in use.</summary>
    private static async Task<LiveCall> ReturnOnceFreeAsync(LiveCall call)
    {
        await call.ListUntilAsync("events?type=connection_error", list => list.Count > 0);
        return await call.ReturnAsync();
    }

    [Fact]
    public async Task AStoppedSilo_ClosesItsCallsPolitely()
    {
        initialized.CopyTo(Data);
        string callId;
        await using (var stopped = await SiloProcess.StartReadyAsync(Data))
        {
            using var api = await ClientAsync(stopped);
            await using var call = await JoinAsync(api);
            callId = call.CallId;
            await call.SendAsync("""{"type":"user_text_message","text":"ten meters"}""");
            await call.WaitForAsync("transcript", json => json.TryGetProperty("delta", out var delta) && delta.GetString()!.Contains("three", StringComparison.Ordinal));
            stopped.Signal(SiloProcess.SigTerm);
            Assert.Equal(0, await stopped.ExitAsync(TimeSpan.FromSeconds(30)));
            await call.WaitForCloseAsync();
            Assert.True(call.Socket.CloseStatus == WebSocketCloseStatus.NormalClosure, call.Story());
        }

        await using var next = await SiloProcess.StartReadyAsync(Data);
        using var again = await ClientAsync(next);
        var ended = (await again.GetAsync($"/api/calls/{callId}")).Json;        // it ended before the silo did
        Assert.Equal("system_error", ended.GetProperty("endReason").GetString());
        Assert.StartsWith("One", (await again.GetAsync($"/api/calls/{callId}/messages")).Json.GetProperty("results").EnumerateArray().Last().GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    private static Task<LiveCall> JoinAsync(ApiClient api, string prompt = Prompt)
        => LiveCall.JoinAsync(api, LiveCall.Request(prompt, """{"recordingEnabled":true,"firstSpeakerSettings":{"user":{}}}"""));

    private async Task<ApiClient> ClientAsync(SiloProcess silo)
    {
        var key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"), SiloFixture.Cancel)).Trim();
        return new ApiClient(silo.Url, new Account { AccountId = Guid.Empty, Name = "", Plan = "" }, key);
    }

    private static async Task<JsonElement> EndedAsync(ApiClient api, string callId)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(30); ; await Task.Delay(100, SiloFixture.Cancel))
        {
            var call = (await api.GetAsync($"/api/calls/{callId}")).Json;
            if (call.GetProperty("ended").ValueKind != JsonValueKind.Null) return call;
            Assert.True(DateTime.UtcNow < deadline, "The call did not end.");
        }
    }

    private static async Task<List<string?>> EventTypesAsync(ApiClient api, string callId)
        => [.. (await api.GetAsync($"/api/calls/{callId}/events")).Json.GetProperty("results").EnumerateArray().Select(e => e.GetProperty("type").GetString())];

    private static async Task ShownAsync(ApiClient api, string callId, string eventType)
    {
        for (var end = DateTime.UtcNow.AddSeconds(30); !(await EventTypesAsync(api, callId)).Contains(eventType);)
        {
            Assert.True(DateTime.UtcNow < end, $"The event {eventType} was never shown.");
            await Task.Delay(20, SiloFixture.Cancel);
        }
    }
}
