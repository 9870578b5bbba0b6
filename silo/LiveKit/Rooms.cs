using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Media;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>The rooms of this silo's WebRTC calls. Each runs its conversation, whatever connections come and go, from the first one of its user on.</summary>
internal sealed partial class Rooms : IHostedService, IDisposable
{
    private static readonly TimeSpan TickPeriod = TimeSpan.FromMilliseconds(500);
    /// <summary>A room that is about to end does so within this.</summary>
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Entry> _rooms = new(StringComparer.Ordinal);
    private readonly IRoomPeerFactory _peers;
    private readonly IGrainFactory _grains;
    private readonly ILiveCallHost _host;
    private readonly CallAdmission _admission;
    private readonly RoomTokens _tokens;
    private readonly Pacer _pacer;
    private readonly WebRtcOptions _options;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _clock;
    private readonly RoomMetrics _metrics;
    private readonly ILogger<Rooms> _logger;
    private ITimer? _timer;

    public Rooms(
        IRoomPeerFactory peers, IGrainFactory grains, ILiveCallHost host, CallAdmission admission, RoomTokens tokens, Pacer pacer, IOptions<WebRtcOptions> options,
        IHostApplicationLifetime lifetime, TimeProvider clock, RoomMetrics metrics, ILogger<Rooms> logger)
    {
        (_peers, _grains, _host, _admission, _tokens, _pacer, _options) = (peers, grains, host, admission, tokens, pacer, options.Value);
        (_lifetime, _clock, _metrics, _logger) = (lifetime, clock, metrics, logger);
        metrics.Observe(() => _rooms.Count, () => _rooms.Values.Sum(static entry => entry.Room.Participants));
    }

    /// <summary>Null: the call has no room here now.</summary>
    public CallRoom? Find(string callId) => _rooms.TryGetValue(callId, out var entry) && !entry.Room.IsOver ? entry.Room : null;

    /// <summary>The room of a call, which is joined now where it was not.</summary>
    /// <param name="joinToken">The unguessable part of the call's join URL.</param>
    /// <exception cref="PlatformException">
    /// As <see cref="ICallGrain.JoinAsync"/>; <see cref="ErrorCode.JoinExpired"/> also while somebody is heard in the room;
    /// <see cref="ErrorCode.Draining"/>, and the join URL stays good.
    /// </exception>
    public async Task<CallRoom> JoinAsync(string callId, string joinToken, string? clientVersion, CancellationToken cancellationToken)
    {
        if (_rooms.TryGetValue(callId, out var entry) && entry.Room.IsJoinToken(joinToken))
        {
            if (await entry.Room.MayReturnSoonAsync(cancellationToken)) return entry.Room;
            if (!entry.Room.IsOver) throw new PlatformException(ErrorCode.JoinExpired, "Somebody else is in the call.");
            await entry.Run.WaitAsync(EndWait, _clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        var pass = _admission.Enter();      // first: a refused client comes back with a join URL that is still good
        try
        {
            var call = await _grains.GetGrain<ICallGrain>(callId).JoinAsync(joinToken, clientVersion);
            var room = new CallRoom(call, joinToken, _peers, _tokens, _options, _pacer, _clock, _metrics);
            var added = new Entry(room);
            _rooms[callId] = added;
            added.Run = RunAsync(added, pass);
            return room;
        }
        catch
        {
            pass.Dispose();
            throw;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = _clock.CreateTimer(_ => Tick(), null, TickPeriod, TickPeriod);
        return Task.CompletedTask;
    }

    /// <summary>The conversations have been told to end; waits until they have.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
        => Task.WhenAll(_rooms.Values.Select(static entry => entry.Run)).WaitAsync(cancellationToken);

    public void Dispose() => _timer?.Dispose();

    private void Tick()
    {
        foreach (var (callId, entry) in _rooms)
        {
            try
            {
                entry.Room.Tick();
            }
            catch (Exception defect)
            {
                LogTickFailed(callId, defect);      // the others' time goes on
            }
        }
    }

    private async Task RunAsync(Entry entry, IDisposable pass)
    {
        var room = entry.Room;
        await Task.Yield();
        try
        {
            if (await HasStartedAsync(room)) await _host.RunAsync(room.Call, room.Port, _lifetime.ApplicationStopping);
            else await EndAsync(room);
        }
        catch (Exception defect)
        {
            LogFailed(room.CallId, defect);
        }
        finally
        {
            _rooms.TryRemove(KeyValuePair.Create(room.CallId, entry));
            await room.DisposeAsync();
            pass.Dispose();
        }
    }

    /// <summary>The greeting waits until somebody can hear it.</summary>
    private async Task<bool> HasStartedAsync(CallRoom room)
    {
        try
        {
            return await room.Started.WaitAsync(_lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Nobody was ever heard: the call waits for its client, which may open the join URL again, or is over, where the client said so.</summary>
    private async Task EndAsync(CallRoom room)
    {
        var outcome = room.WasEndedByUser
            ? new CallOutcome(EndReason.Hangup)
            : new CallOutcome(EndReason.ConnectionError, "The client never connected its media.") { MayResume = true };
        await _grains.GetGrain<ICallGrain>(room.CallId).EndAsync(outcome with { Generation = room.Call.Generation });
    }

    [LoggerMessage(9301, LogLevel.Error, "The room of call {CallId} failed")]
    private partial void LogFailed(string callId, Exception exception);

    [LoggerMessage(9302, LogLevel.Error, "The room of call {CallId} could not be looked after")]
    private partial void LogTickFailed(string callId, Exception exception);

    private sealed class Entry(CallRoom room)
    {
        public CallRoom Room => room;

        public Task Run { get; set; } = Task.CompletedTask;
    }
}
