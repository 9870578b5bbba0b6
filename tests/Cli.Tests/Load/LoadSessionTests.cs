using System.Text.Json;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Cli.Tests.Load;

public sealed class LoadSessionTests : IDisposable
{
    private readonly Recordings recordings = new();

    public void Dispose() => recordings.Dispose();

    [Fact]
    public async Task ManyCallers_AreMeasuredTogether()
    {
        await using var server = await FakeCallServer.StartAsync();
        server.Answer = TimeSpan.FromMilliseconds(500);
        var output = new StringWriter();
        var measured = await new LoadSession(new LoadOptions
        {
            Server = new ServerAddress(server.Url, FakeCallServer.Key),
            Call = new CallRequest { AgentSpeaksFirst = false },
            File = await recordings.WriteWavAsync("speech.wav", FakeCallServer.RateHz, Recordings.Tone(FakeCallServer.RateHz, 0.3)),
            Calls = 5,
            RampPerSecond = 100,
            Pause = TimeSpan.FromSeconds(1),
            Duration = TimeSpan.FromSeconds(3),
            ProcessId = Environment.ProcessId,
        }).RunAsync(TestContext.Current.CancellationToken);

        measured.Print(output, isJson: true);

        Assert.True(measured.IsWhole);
        var report = JsonDocument.Parse(output.ToString()).RootElement;
        Assert.Equal(5, server.Created.Count);
        Assert.Equal((5, 0, 0), (report.GetProperty("calls").GetInt32(), report.GetProperty("failed").GetInt32(), report.GetProperty("dropped").GetInt32()));
        Assert.True(report.GetProperty("turnLatencyMs").GetProperty("count").GetInt32() >= 5);      // a round takes 1.3 s
        Assert.True(report.GetProperty("turnLatencyMs").GetProperty("p50").GetDouble() > 0);
        Assert.True(report.GetProperty("audioFrames").GetInt64() > 100);
        Assert.True(report.GetProperty("serverCores").GetDouble() >= 0);
    }

    [Fact]
    public async Task CtrlC_ReportsWhatWasMeasuredSoFar()
    {
        await using var server = await FakeCallServer.StartAsync();
        using var ctrlC = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var measuring = new LoadSession(new LoadOptions
        {
            Server = new ServerAddress(server.Url, FakeCallServer.Key),
            Call = new CallRequest { AgentSpeaksFirst = false },
            File = await recordings.WriteWavAsync("speech.wav", FakeCallServer.RateHz, Recordings.Tone(FakeCallServer.RateHz, 0.3)),
            Calls = 1,
            Pause = TimeSpan.FromMilliseconds(500),
            Duration = TimeSpan.FromHours(1),
        }).RunAsync(ctrlC.Token);
        while (server.SamplesSent == 0)     // the call was answered once, so it is being measured
            await Task.Delay(10, ctrlC.Token);
        await ctrlC.CancelAsync();

        var measured = await measuring;

        Assert.True(measured.IsWhole);
        Assert.InRange(measured.Seconds, 0, 3_000);
    }
}
