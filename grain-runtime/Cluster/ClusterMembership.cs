using System.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>
/// This process's membership: enters it into the table <c>silos</c>, renews its lease and looks who else is there.
/// </summary>
internal sealed partial class ClusterMembership(
    SiloTable table, GrainCatalog catalog, GrainClasses classes, IOptions<ClusterOptions> options, TimeProvider clock, ILogger<ClusterMembership> logger)
    : IClusterMembership
{
    private static readonly TimeSpan CleanUpPeriod = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _refreshing = new(1);
    private ClusterView _view = ClusterView.Empty;
    private long _cleanedUp;
    private long _clockOffset;
    private volatile bool _draining;

    public SiloLease Lease { get; } = new(clock, options.Value.Lease);

    public ClusterView View => Volatile.Read(ref _view);

    public bool IsDraining => _draining;

    public string? LocalSilo => Lease.ValidSilo;

    /// <summary>Set by the one who holds the connection.</summary>
    public Func<bool> AskBroker { private get; set; } = () => false;

    public bool IsBrokerConnected => AskBroker();

    public bool IsConnected => IsBrokerConnected && (options.Value.ClientOnly || Lease.IsValid);

    /// <summary>How far PostgreSQL's clock is ahead of ours.</summary>
    public TimeSpan ClockOffset => new(Volatile.Read(ref _clockOffset));

    private TimeSpan StatementTimeout => options.Value.RenewPeriod / 2;

    public Task<IReadOnlyList<SiloInfo>> ListAsync(CancellationToken cancellationToken) => ListAsync(areAlive: true, cancellationToken);

    public Task<IReadOnlyList<SiloInfo>> ListLapsedAsync(CancellationToken cancellationToken) => ListAsync(areAlive: false, cancellationToken);

    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        if (Lease.ValidSilo is { } silo)
            await RenewAsync(silo, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Becomes a member under a new id.</summary>
    public async Task<string> JoinAsync(CancellationToken cancellationToken)
    {
        var own = options.Value;
        var id = $"{own.Name}-{Guid.NewGuid().ToString("N")[..12]}";
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        var began = clock.GetTimestamp();
        var silo = new SiloInfo(
            id, own.Name, version, own.Address, [.. own.Roles], own.Labels.ToDictionary(), classes.GrainTypes, 0, own.MaxActivations, _draining, default);
        SetClockOffset(await table.InsertAsync(silo, own.Lease, cancellationToken).ConfigureAwait(false));
        Lease.Renewed(id, began);
        LogJoined(id);
        return id;
    }

    /// <summary>Renews the lease. False when it has lapsed, by the database's clock or our own.</summary>
    /// <exception cref="Exception">The database did not answer.</exception>
    public async Task<bool> RenewAsync(string silo, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        using var timeout = Timeout(cancellationToken);
        if (!Lease.IsValid || await table.RenewAsync(silo, options.Value.Lease, catalog.Count, _draining, timeout.Token).ConfigureAwait(false) is not { } now)
            return false;
        SetClockOffset(now);
        Lease.Renewed(silo, began);
        return true;
    }

    /// <summary>Takes the lapsed membership up again. <paramref name="reconcile"/> gives up what others have taken before anything is served.</summary>
    /// <returns>False when it is forgotten.</returns>
    public async Task<bool> ReviveAsync(string silo, Func<CancellationToken, Task> reconcile, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        using var timeout = Timeout(cancellationToken);
        if (await table.ReviveAsync(silo, options.Value.Lease, timeout.Token).ConfigureAwait(false) is not { } now)
            return false;
        await reconcile(timeout.Token).ConfigureAwait(false);
        SetClockOffset(now);
        Lease.Renewed(silo, began);
        LogRevived(silo);
        return true;
    }

    /// <summary>Looks who is there. Concurrent callers share one look.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var before = View;
        await _refreshing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(before, View))
                return;
            var began = clock.GetTimestamp();
            using var timeout = Timeout(cancellationToken);
            Volatile.Write(ref _view, new(await table.ListAsync(timeout.Token).ConfigureAwait(false), began));
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>Deletes what is left of those long dead, now and then.</summary>
    public async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(_cleanedUp) < CleanUpPeriod && _cleanedUp != 0)
            return;
        _cleanedUp = clock.GetTimestamp();
        using var timeout = Timeout(cancellationToken);
        await table.CleanUpAsync(timeout.Token).ConfigureAwait(false);
    }

    /// <summary>Ends the membership; what this silo still owns may be taken at once.</summary>
    public async Task LeaveAsync(CancellationToken cancellationToken)
    {
        if (Lease.Silo is not { } silo)
            return;
        Lease.GiveUp();
        try
        {
            using var timeout = Timeout(cancellationToken);
            await table.DeleteAsync(silo, timeout.Token).ConfigureAwait(false);
            LogLeft(silo);
        }
        catch (Exception exception)
        {
            LogNotLeft(silo, exception);        // its lease ends by itself
        }
    }

    private async Task<IReadOnlyList<SiloInfo>> ListAsync(bool areAlive, CancellationToken cancellationToken) =>
        [.. (await table.ListAsync(cancellationToken).ConfigureAwait(false)).Where(row => row.IsAlive == areAlive).Select(row => row.Silo)];

    private void SetClockOffset(DateTimeOffset databaseTime) => Volatile.Write(ref _clockOffset, (databaseTime - clock.GetUtcNow()).Ticks);

    private CancellationTokenSource Timeout(CancellationToken cancellationToken)
    {
        var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StatementTimeout);
        return timeout;
    }

    [LoggerMessage(1540, LogLevel.Information, "Joined the cluster as silo {Silo}")]
    private partial void LogJoined(string silo);

    [LoggerMessage(1548, LogLevel.Warning, "Silo {Silo} has its place in the cluster again")]
    private partial void LogRevived(string silo);

    [LoggerMessage(1541, LogLevel.Information, "Silo {Silo} left the cluster")]
    private partial void LogLeft(string silo);

    [LoggerMessage(1542, LogLevel.Warning, "Silo {Silo} could not be taken out of the cluster; its lease ends by itself")]
    private partial void LogNotLeft(string silo, Exception exception);
}
