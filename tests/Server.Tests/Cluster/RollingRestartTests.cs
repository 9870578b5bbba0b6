using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Every silo of a cluster is replaced, one after the other, while people call and talk.</summary>
public sealed class RollingRestartTests
{
    private const int Callers = 3;
    // Whatever a busy machine lets the recognizer hear.
    private const string Prompt = """Otherwise: say "One two three four five." """;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ARollingRestart_LosesNoCall()
    {
        await using var cluster = await ClusterProcesses.StartAsync(("Drain__Timeout", "00:01:00"));
        var key = (await File.ReadAllTextAsync(Path.Combine(cluster.Gateway.Data, "api-key"), Cancel)).Trim();
        using var api = new ApiClient(cluster.Gateway.Url, new Account { AccountId = Guid.Empty, Name = "", Plan = "" }, key);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var callers = Enumerable.Range(0, Callers).Select(_ => CallAgainAndAgainAsync(api, over.Token)).ToList();

        foreach (var name in (string[])["one", "two"])
        {
            var silo = cluster.Silo(name);
            silo.Signal(SiloProcess.SigTerm);
            Assert.Equal(0, await silo.ExitAsync(DrainLimit));
            await cluster.StartSiloAsync(name);
            // Not before it carries calls again, as an orchestrator would wait for its readiness.
            await UntilAsync(async () => await ReadyAsync(silo: cluster.Silo(name)), "the new silo to be ready");
        }
        await over.CancelAsync();

        var calls = (await Task.WhenAll(callers)).SelectMany(ids => ids).ToList();
        Assert.True(calls.Count >= Callers * 2, $"Only {calls.Count} calls.");
        foreach (var callId in calls) await AssertWholeAsync(api, callId);
    }

    /// <summary>Each call is one question in human speech, its answer, and a hang-up.</summary>
    private static async Task<List<string>> CallAgainAndAgainAsync(ApiClient api, CancellationToken over)
    {
        var calls = new List<string>();
        while (!over.IsCancellationRequested)
        {
            await using var call = await LiveCall.CreateSoonAsync(api, LiveCall.Request(Prompt, """{"firstSpeakerSettings":{"user":{}}}"""));
            await using var joined = await call.ReturnAsync();       // as any client: told to wait (503), it tries again
            joined.Say(HumanSpeech.GoForward());
            await joined.WaitForFinalAsync("user");
            await joined.WaitForFinalAsync("agent");
            Assert.Equal("hangup", (await joined.LeaveAsync()).GetProperty("endReason").GetString());
            calls.Add(joined.CallId);
        }
        return calls;
    }

    /// <summary>What was said is there once and in order; nothing had to be resumed.</summary>
    private static async Task AssertWholeAsync(ApiClient api, string callId)
    {
        var messages = (await api.GetAsync($"/api/calls/{callId}/messages")).Json.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, messages.Count), messages.Select(m => m.GetProperty("callStageMessageIndex").GetInt32()));
        // A busy machine may tear the user's words into two turns.
        Assert.Equal(["MESSAGE_ROLE_USER", "MESSAGE_ROLE_AGENT"], messages.Select(m => m.GetProperty("role").GetString()).Distinct());
        Assert.Equal("One two three four five.", messages[^1].GetProperty("text").GetString());
        List<string?> events = [];
        await UntilAsync(async () => (events = await EventsAsync(api, callId)).Contains("call_ended"), "the end in the event log");
        Assert.Equal("call_ended", events[^1]);
        Assert.DoesNotContain("call_resumed", events);
        Assert.Equal(events.Distinct(), events);
    }

    private static async Task<List<string?>> EventsAsync(ApiClient api, string callId)
        => [.. (await api.GetAsync($"/api/calls/{callId}/events")).Json.GetProperty("results").EnumerateArray().Select(e => e.GetProperty("type").GetString())];

    private static async Task<bool> ReadyAsync(SiloProcess silo)
    {
        using var http = new HttpClient();
        using var reply = await http.GetAsync(new Uri(silo.Url, "/health/ready"), Cancel);
        return reply.IsSuccessStatusCode;
    }

    private static async Task UntilAsync(Func<Task<bool>> isTrue, string what)
    {
        for (var end = DateTime.UtcNow + LiveCall.Patience; !await isTrue(); await Task.Delay(100, Cancel))
            Assert.True(DateTime.UtcNow < end, $"There was no end of waiting for {what}.");
    }
}
