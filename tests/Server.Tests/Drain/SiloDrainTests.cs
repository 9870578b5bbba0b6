using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Silo.Drain;

namespace VoiceGrains.Server.Tests.Drain;

/// <summary>What the drain asks of the cluster.</summary>
public sealed class SiloDrainTests
{
    private readonly CallAdmission admission = new();
    private readonly Lifetime lifetime = new();

    [Fact]
    public async Task LeavesPlacement_AfterItRefuses_AndWhileCallsGoOn()
    {
        var live = admission.Enter();
        bool? wasOpen = null;
        var cluster = new Cluster(() => wasOpen = admission.IsOpen);
        using var drain = Drain(cluster);

        drain.RequestStop();
        await cluster.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(wasOpen);
        Assert.False(lifetime.Stopped.Task.IsCompleted);

        live.Dispose();
        await lifetime.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AClusterThatFails_DoesNotCutTheCallsShort()
    {
        var live = admission.Enter();
        var cluster = new Cluster(() => throw new InvalidOperationException("The broker is away."));
        using var drain = Drain(cluster);

        drain.RequestStop();
        await cluster.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(lifetime.Stopped.Task.IsCompleted);

        live.Dispose();
        await lifetime.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    private SiloDrain Drain(Cluster cluster) => new(
        admission, [cluster], Options.Create(new DrainOptions { Timeout = TimeSpan.FromMinutes(5) }), lifetime, TimeProvider.System, NullLogger<SiloDrain>.Instance);

    private sealed class Cluster(Action onDrain) : IClusterMembership
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string? LocalSilo => "silo";

        public bool IsConnected => true;
        public bool IsBrokerConnected => true;

        public Task<IReadOnlyList<SiloInfo>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<SiloInfo>>([]);

        public Task DrainAsync(CancellationToken cancellationToken)
        {
            try
            {
                onDrain();
            }
            finally
            {
                Asked.SetResult();
            }
            return Task.CompletedTask;
        }
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public TaskCompletionSource Stopped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => Stopped.TrySetResult();
    }
}
