using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Runtime;
using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Hosting;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>
/// This process in a cluster over RabbitMQ and PostgreSQL: joins and keeps the lease. While the lease is lapsed no grain here serves a request;
/// when the broker is away for longer than that, all grains are given up.
/// </summary>
internal sealed partial class RabbitGrainCluster : IGrainCluster, IBrokerListener, IRuntimePart, IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    /// <summary>A client keeps nothing: it may as well say soon that it is alive and what is missing.</summary>
    private static readonly TimeSpan ClientStartPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMilliseconds(250);

    private readonly GrainCatalog _catalog;
    private readonly ClusterMembership _membership;
    private readonly GrainDirectory _directory;
    private readonly ClusterOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<RabbitGrainCluster> _logger;
    private readonly InboundRequests _inbound;
    private readonly OutboundRequests _outbound;
    private readonly ConcurrentDictionary<string, bool> _bound = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly string _processId;
    private BrokerConnection? _broker;
    private long _lostAt;
    private Task _loops = Task.CompletedTask;

    public RabbitGrainCluster(
        GrainCatalog catalog, GrainClasses classes, ClusterMembership membership, GrainDirectory directory, WireExceptions exceptions,
        IOptions<ClusterOptions> options, TimeProvider clock, ILogger<RabbitGrainCluster> logger)
    {
        (_catalog, _membership, _directory, _options, _clock, _logger) = (catalog, membership, directory, options.Value, clock, logger);
        _processId = $"{_options.Name}-{Guid.NewGuid():N}";
        var codec = new WireCodec(_options, _options.Serializer ?? catalog.Options.StateSerializer, classes, exceptions, clock);
        _inbound = new(catalog, codec, _options, membership.Lease, () => membership.IsDraining, TrySend, logger);
        _outbound = new(catalog, classes, codec, membership, directory, _options, _processId, TrySend, () => _broker?.DisconnectedFor ?? TimeSpan.Zero, clock, logger);
        membership.AskBroker = () => _broker?.IsConnected == true;
    }

    public bool MayServe => _membership.Lease.IsValid;

    public IReadOnlyCollection<string> RoutingKeys
    {
        get
        {
            List<string> keys = [WireProtocol.Address(_processId), .. _bound.Keys];
            if (_membership.Lease.Silo is { } silo)
                keys.Add(WireProtocol.Address(silo));
            return keys;
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_options.ClientOnly)
            await _membership.JoinAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _membership.RefreshAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (_options.ClientOnly && !cancellationToken.IsCancellationRequested)
        {
            LogUpkeepFailed(exception);     // a gateway may be up before the first silo has made the tables
        }
        _broker = new(_options, this, _clock, _logger);
        _loops = Task.WhenAll(Task.Run(() => RepeatAsync(_options.RenewPeriod / 2, KeepMembershipAsync), CancellationToken.None),
            Task.Run(() => RepeatAsync(SweepPeriod, _outbound.SweepAsync), CancellationToken.None));
        var patience = _options.ClientOnly ? ClientStartPatience : StartPatience;
        try
        {
            await _broker.WaitUntilConnectedAsync(cancellationToken).WaitAsync(patience, _clock, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogNotConnected(patience);     // and starts all the same: health checks must be able to say what is missing
        }
    }

    /// <summary>Takes no new grains from here on; the host then ends those there are, and disposes of this.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _membership.DrainAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            LogUpkeepFailed(exception);     // others learn of it when they are refused
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(false);
        await _membership.LeaveAsync(CancellationToken.None).ConfigureAwait(false);
        if (_broker is not null)
            await _broker.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    public void Send(Invocation request)
    {
        if (_inbound.TrySendBack(request, owner: null))
            return;     // its activation here has ended: the caller asks for the next
        if (_options.ClientOnly || MayServe)
            _outbound.Send(request);
        else
            request.Reject(new SiloUnavailableException($"Request {request} was refused: this silo has lost its place in the cluster and is joining again."));
    }

    public void SendElsewhere(Invocation request, string? owner)
    {
        if (!_inbound.TrySendBack(request, owner))
            _outbound.SendTo(request, owner);
    }

    public async Task<Claim> ClaimAsync(GrainId grain, CancellationToken cancellationToken)
    {
        if (_membership.LocalSilo is not { } silo || _membership.IsDraining)
            return default;
        Claim claim;
        try
        {
            claim = await _directory.AcquireAsync(grain, silo, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw new SiloUnavailableException($"Grain {grain} was not activated: the directory cannot be reached.", exception);
        }
        if (claim.Ownership is null)
            return claim;
        var key = WireProtocol.RoutingKey(grain);
        _bound[key] = true;
        await _broker!.BindAsync(key, cancellationToken).ConfigureAwait(false);
        return claim;
    }

    public async Task ReleaseAsync(GrainId grain, GrainOwnership ownership)
    {
        var key = WireProtocol.RoutingKey(grain);
        using var timeout = new CancellationTokenSource(_options.RenewPeriod, _clock);
        try
        {
            if (_bound.TryRemove(key, out _))
                await _broker!.UnbindAsync(key, timeout.Token).ConfigureAwait(false);
            await _directory.ReleaseAsync(grain, ownership, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            LogNotReleased(grain, exception);
        }
    }

    public void OnDelivered(BasicDeliverEventArgs message)
    {
        try
        {
            switch (message.BasicProperties.Type)
            {
                case WireProtocol.Request:
                    _inbound.OnRequest(message);
                    break;
                case WireProtocol.Result:
                    _outbound.OnResult(message);
                    break;
                case WireProtocol.Cancel:
                    _inbound.OnCancel(message.BasicProperties);
                    break;
                default:
                    _inbound.Park(message, "Its type is not known.");
                    break;
            }
        }
        catch (Exception exception)
        {
            LogDeliveryFailed(exception);
            _inbound.Park(message, exception.Message);
        }
    }

    public void OnReturned(BasicReturnEventArgs message) => _outbound.OnReturned(message);

    public void OnDisconnected() => _outbound.OnDisconnected();

    private bool TrySend(WireMessage message) => _broker?.TrySend(message) ?? false;

    private async Task KeepMembershipAsync(CancellationToken cancellationToken)
    {
        if (!_options.ClientOnly)
            await KeepLeaseAsync(cancellationToken).ConfigureAwait(false);
        await _membership.RefreshAsync(cancellationToken).ConfigureAwait(false);
        await _membership.CleanUpAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task KeepLeaseAsync(CancellationToken cancellationToken)
    {
        if (_membership.Lease.Silo is not { } silo)
        {
            // Joined again only when others can reach us and nothing of the former life is left, save for a grain that does not end.
            var ended = _catalog.Count == 0 || _clock.GetElapsedTime(_lostAt) > _catalog.Options.DeactivationTimeout;
            if (ended && _broker!.IsConnected)
            {
                await _membership.JoinAsync(cancellationToken).ConfigureAwait(false);
                _broker.Reconnect();
            }
            return;
        }
        if (_broker!.DisconnectedFor > _options.Lease)
        {
            await LoseAsync(silo, "RabbitMQ has been away for longer than the lease").ConfigureAwait(false);
            return;
        }
        // Without PostgreSQL nothing is renewed, but nobody can take a grain either: they are kept, serve nobody while the lease is lapsed, and
        // those that were taken when it is back are given up before anything is served.
        if (!await _membership.RenewAsync(silo, cancellationToken).ConfigureAwait(false)
            && !await _membership.ReviveAsync(silo, cancel => GiveUpTakenAsync(silo, cancel), cancellationToken).ConfigureAwait(false))
            await LoseAsync(silo, "PostgreSQL has forgotten it").ConfigureAwait(false);
    }

    private async Task GiveUpTakenAsync(string silo, CancellationToken cancellationToken)
    {
        var owned = await _directory.OwnedByAsync(silo, cancellationToken).ConfigureAwait(false);
        _catalog.DeactivateAll(new(DeactivationReasonCode.DirectoryFailure, "Another silo took the grain while this one's lease was lapsed."), except: owned);
    }

    private async Task LoseAsync(string silo, string why)
    {
        LogLost(silo, why, _catalog.Count);
        _lostAt = _clock.GetTimestamp();
        _bound.Clear();
        _catalog.DeactivateAll(new(DeactivationReasonCode.DirectoryFailure, $"The silo gave up its grains: {why}."));
        await _membership.LeaveAsync(CancellationToken.None).ConfigureAwait(false);
        _broker!.Reconnect();
    }

    private async Task RepeatAsync(TimeSpan period, Func<CancellationToken, Task> work)
    {
        using var timer = new PeriodicTimer(period, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    await work(_stopping.Token).ConfigureAwait(false);
                }
                catch (Exception exception) when (!_stopping.IsCancellationRequested)
                {
                    LogUpkeepFailed(exception);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    [LoggerMessage(1543, LogLevel.Error, "Silo {Silo} gives up its {Count} grains and joins anew: {Why}")]
    private partial void LogLost(string silo, string why, int count);

    [LoggerMessage(1544, LogLevel.Warning, "Looking after the cluster failed; trying again")]
    private partial void LogUpkeepFailed(Exception exception);

    [LoggerMessage(1545, LogLevel.Warning, "Grain {Grain} could not be released; it is with the next lease")]
    private partial void LogNotReleased(GrainId grain, Exception exception);

    [LoggerMessage(1547, LogLevel.Error, "RabbitMQ is not connected after {Time}; starting without it")]
    private partial void LogNotConnected(TimeSpan time);

    [LoggerMessage(1546, LogLevel.Error, "A message failed in the runtime")]
    private partial void LogDeliveryFailed(Exception exception);
}
