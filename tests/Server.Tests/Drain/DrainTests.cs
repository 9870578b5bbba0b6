using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Drain;

/// <summary>A silo that is asked to stop while people talk to it, from the outside.</summary>
public sealed class DrainTests(InitializedData initialized) : IClassFixture<InitializedData>, IDisposable
{
    /// <summary>For an end that comes by itself: it takes seconds, and the machine may be busy.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private readonly string folder = InitializedData.MakeFolder();
    private readonly HttpClient http = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task ADrain_LetsTheLiveCallGoOn_RefusesOthers_AndStopsWithTheLastCall()
    {
        Uri waiting;
        await using (var silo = await StartAsync("00:05:00"))
        {
            waiting = await LiveClient.CreateJoinUrlAsync(http, silo);
            await using var live = await LiveClient.JoinAsync(await LiveClient.CreateJoinUrlAsync(http, silo));
            Assert.NotEmpty(await live.AskAsync("Are you there?"));
            Assert.Contains("\nvoicegrains_draining 0\n", await MetricsAsync(silo), StringComparison.Ordinal);

            silo.Signal(SiloProcess.SigTerm);
            var ready = await UntilNotReadyAsync(silo);
            Assert.Equal("admission", Assert.Single(ready.GetProperty("missing").EnumerateArray()).GetString());

            using (var refused = await LiveClient.CreateAsync(http, silo))
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
                Assert.Equal(TimeSpan.FromSeconds(5), refused.Headers.RetryAfter?.Delta);
                Assert.Equal("draining", (await refused.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("code").GetString());
            }
            await using (var late = new LiveClient())
            {
                Assert.NotNull(await late.TryJoinAsync(waiting));
                Assert.Equal((HttpStatusCode.ServiceUnavailable, "5"), (late.JoinStatus, late.JoinRetryAfter));
            }
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(silo.Url, "/health/live"), Cancel)).StatusCode);
            Assert.Contains("\nvoicegrains_draining 1\n", await MetricsAsync(silo), StringComparison.Ordinal);
            Assert.NotEmpty(await live.AskAsync("Are you still there?"));

            await live.HangUpAsync();
            Assert.Equal(0, await silo.ExitAsync(StopLimit));
        }

        await using var successor = await StartAsync("00:05:00");
        await using var returned = await LiveClient.JoinAsync(new UriBuilder(waiting) { Port = successor.Url.Port }.Uri);    // the refusal did not use the URL up
        Assert.NotEmpty(await returned.AskAsync("Who are you?"));
    }

    [Theory]
    [InlineData(SiloProcess.SigTerm)]
    [InlineData(SiloProcess.SigInt)]
    public async Task ASecondSignal_EndsTheLiveCallsNow(int second)
    {
        await using var silo = await StartAsync("00:05:00");
        await using var live = await LiveClient.JoinAsync(await LiveClient.CreateJoinUrlAsync(http, silo));
        silo.Signal(SiloProcess.SigTerm);
        await UntilNotReadyAsync(silo);
        Assert.NotEmpty(await live.AskAsync("Are you still there?"));

        silo.Signal(second);

        await live.EndOfCallAsync();
        Assert.Equal(0, await silo.ExitAsync(StopLimit));
    }

    [Fact]
    public async Task TheTimeout_EndsTheLiveCalls()
    {
        var timeout = TimeSpan.FromSeconds(2);
        await using var silo = await StartAsync($"{timeout}");
        await using var live = await LiveClient.JoinAsync(await LiveClient.CreateJoinUrlAsync(http, silo));
        var signalled = Stopwatch.GetTimestamp();
        silo.Signal(SiloProcess.SigTerm);

        await live.EndOfCallAsync();

        Assert.True(Stopwatch.GetElapsedTime(signalled) >= timeout);
        Assert.Equal(0, await silo.ExitAsync(StopLimit));
    }

    [Fact]
    public async Task ASiloThatIsAlone_StopsAtOnce_WithACallLive()
    {
        await using var silo = await StartAsync(timeout: null);
        await using var live = await LiveClient.JoinAsync(await LiveClient.CreateJoinUrlAsync(http, silo));
        Assert.NotEmpty(await live.AskAsync("Are you there?"));

        silo.Signal(SiloProcess.SigTerm);

        Assert.Equal(0, await silo.ExitAsync(StopLimit));
    }

    private Task<SiloProcess> StartAsync(string? timeout)
    {
        var data = Path.Combine(folder, "data");
        if (!Directory.Exists(data))
            initialized.CopyTo(data);
        return timeout is null ? SiloProcess.StartReadyAsync(data) : SiloProcess.StartReadyAsync(data, ("Drain__Timeout", timeout));
    }

    private Task<string> MetricsAsync(SiloProcess silo) => http.GetStringAsync(new Uri(silo.Url, "/metrics"), Cancel);

    /// <summary>Signals travel by themselves: asks until the answer is another.</summary>
    private async Task<JsonElement> UntilNotReadyAsync(SiloProcess silo)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        late.CancelAfter(StopLimit);
        while (true)
        {
            using var ready = await http.GetAsync(new Uri(silo.Url, "/health/ready"), late.Token);
            if (ready.StatusCode == HttpStatusCode.ServiceUnavailable)
                return await ready.Content.ReadFromJsonAsync<JsonElement>(late.Token);
            await Task.Delay(20, late.Token);
        }
    }
}
