using System.Threading.Channels;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo.Launch;
using VoiceGrains.Silo.LocalCluster;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.LocalCluster;

public sealed class SupervisorTests : IDisposable
{
    private readonly ManualClock clock = new();
    private readonly MortalServer server = new();
    private readonly Channel<string> said = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public void Dispose() => stop.Dispose();

    [Fact]
    public async Task AServerThatKeepsDying_IsStartedEverLater_AndSoonAgainAfterALongLife()
    {
        var watching = Watch();
        foreach (var pause in (double[])[0.5, 1, 2, 4, 8, 16, 30, 30])
            await DieAndComeBackAsync(pause);
        clock.Advance(TimeSpan.FromSeconds(31));
        await DieAndComeBackAsync(0.5);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watching);
    }

    [Fact]
    public async Task AStartThatFails_IsSaid_AndTriedAgain()
    {
        var watching = Watch();
        server.Failures.Enqueue("The port is taken.");
        server.Die(exitCode: 3);
        Assert.Equal("silo-1 (process 0) ended with exit code 3. It is started again in 0.5 s.", await NextAsync());
        await PassUntilAsync(() => server.Failures.Count == 0);
        Assert.Equal("The port is taken.\nsilo-1 is started again in 1 s.", await NextAsync());
        await PassUntilAsync(() => server.ProcessId == 1);
        Assert.Equal("silo-1 is back as process 1.", await NextAsync());
        Assert.False(watching.IsCompleted);
    }

    private Task Watch() => new Supervisor(line => said.Writer.TryWrite(line), clock).WatchAsync(server, stop.Token);

    private async Task DieAndComeBackAsync(double pause)
    {
        var (died, process) = (clock.GetTimestamp(), server.ProcessId);
        server.Die(exitCode: 137);
        Assert.Equal(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"silo-1 (process {process}) was killed (SIGKILL). It is started again in {pause} s."), await NextAsync());
        await PassUntilAsync(() => server.ProcessId > process);
        Assert.True(clock.GetElapsedTime(died) >= TimeSpan.FromSeconds(pause));
        Assert.Equal($"silo-1 is back as process {server.ProcessId}.", await NextAsync());
    }

    private async Task<string> NextAsync() => await said.Reader.ReadAsync(stop.Token);

    private async Task PassUntilAsync(Func<bool> holds)
    {
        for (; !holds(); await Task.Yield())
        {
            stop.Token.ThrowIfCancellationRequested();
            clock.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    private sealed class MortalServer : IPrivateServer
    {
        private volatile TaskCompletionSource<int> life = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int lives;

        public Queue<string> Failures { get; } = [];

        public string Name => "silo-1";

        /// <summary>Counts the lives.</summary>
        public int ProcessId => Volatile.Read(ref lives);

        public Task<int> Exited => life.Task;

        public void Die(int exitCode) => life.SetResult(exitCode);

        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (Failures.TryDequeue(out var failure))
                throw new LaunchException(failure);
            life = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Interlocked.Increment(ref lives);
            return Task.CompletedTask;
        }

        public Task StopAsync() => Task.CompletedTask;
    }
}
