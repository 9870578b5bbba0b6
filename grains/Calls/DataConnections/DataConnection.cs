using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Signing;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>
/// A call's WebSocket to a server of its customer: data messages both ways, and the call's sound. One task connects, serves and comes back after losses, for
/// as long as the call lives; the call itself only puts into a bounded queue and never waits for it.
/// </summary>
/// <remarks>
/// A message is sent at most once: what was under way when a connection broke is not repeated. What comes while there is none waits in the queue.
/// </remarks>
internal sealed partial class DataConnection(
    string callId, DataConnectionConfig config, IReadOnlyList<string> sharedSecrets, DataConnectionQueue queue, DataConnectionAudio? audio, IDataConnector connector,
    DataConnectionOptions options, DataConnectionMetrics metrics, TimeProvider clock, IDataConnectionListener listener, ILogger logger) : IAsyncDisposable
{
    private readonly Backoff _backoff = new(options.FirstRetry, options.LongestRetry, Random.Shared);
    /// <summary>The call is over: no more attempts.</summary>
    private readonly CancellationTokenSource _ended = new();
    /// <summary>Nothing is waited for any more.</summary>
    private readonly CancellationTokenSource _abandoned = new();
    private Task _running = Task.CompletedTask;
    private volatile ConnectionState _state;
    private volatile DataSession? _session;
    private DroppedData _dropped;
    private bool _mayReturn;
    private int _failures;

    private enum ConnectionState : byte { Opening, Open, Away, Refused }

    public DataMessages Wanted { get; } = config.DataMessages.Over(DataMessages.Default | DataMessages.DataConnectionToolInvocation);

    /// <summary>Null: it gets no sound.</summary>
    public DataConnectionAudio? Audio => audio;

    /// <summary>Whether somebody is there, or may well be in a moment, to run a tool.</summary>
    public bool TakesInvocations => _state is ConnectionState.Open or ConnectionState.Opening;

    /// <summary>With a signature of this moment; a customer's own header of such a name gives way to it.</summary>
    private DataConnectionConfig Signed()
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in config.Headers ?? new Dictionary<string, string>()) headers[name] = value;
        foreach (var (name, value) in CallSignature.Headers(callId, [], sharedSecrets, clock.GetUtcNow())) headers[name] = value;
        return config with { Headers = headers };
    }

    /// <summary>Begins to connect; returns at once.</summary>
    public void Start() => _running = RunAsync();

    /// <summary>Queues one message. Never waits; what cannot be kept is dropped and counted.</summary>
    public void TrySend(byte[] json)
    {
        if (_state != ConnectionState.Refused && !queue.TryAddMessage(json)) _session?.Abandon();
    }

    /// <summary>Sends what waits and says good-bye; gives up after <see cref="DataConnectionOptions.CloseTimeout"/>.</summary>
    /// <param name="mayReturn">The server goes away, not the call.</param>
    public async Task CloseAsync(bool mayReturn)
    {
        _mayReturn = mayReturn;
        audio?.Finish();
        queue.Complete();
        await _ended.CancelAsync();
        try
        {
            await _running.WaitAsync(options.CloseTimeout, clock);
        }
        catch (TimeoutException)
        {
            await _abandoned.CancelAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _abandoned.CancelAsync();
        await _running;
        audio?.Dispose();
        _ended.Dispose();
        _abandoned.Dispose();
    }

    private async Task RunAsync()
    {
        await Task.Yield();     // whoever started it does not wait, not even for a name that resolves at once
        try
        {
            do
            {
                if (await TryConnectAsync() is { } socket) await ServeAsync(socket);
            }
            while (_state != ConnectionState.Refused && await MayTryAgainAsync());
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The call is over, and its end was waited for long enough.
        }
        catch (Exception exception)
        {
            LogDefect(callId, exception);
        }
        finally
        {
            if (_state != ConnectionState.Refused) _state = ConnectionState.Away;
            queue.Complete();
            queue.Clear();
            CountDropped();
        }
    }

    /// <summary>Waits before the next attempt. False: the call is over.</summary>
    private async Task<bool> MayTryAgainAsync()
    {
        if (!_ended.IsCancellationRequested)
            await Task.Delay(_backoff.Next(), clock, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return !_ended.IsCancellationRequested;
    }

    private async Task<WebSocket?> TryConnectAsync()
    {
        using var patience = new CancellationTokenSource(options.ConnectTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _abandoned.Token);
        try
        {
            var socket = await connector.ConnectAsync(Signed(), either.Token);
            metrics.Attempted("open");
            return socket;
        }
        catch (OperationCanceledException) when (!_abandoned.IsCancellationRequested)
        {
            OnFailed($"It did not answer within {options.ConnectTimeout.TotalSeconds:0.#} s.", isFinal: false);
        }
        catch (DataConnectionException exception)
        {
            LogNotOpened(callId, exception);
            OnFailed(exception.Message, exception.IsFinal);
        }
        return null;
    }

    private void OnFailed(string why, bool isFinal)
    {
        metrics.Attempted(isFinal ? "refused" : "failed");
        _failures++;
        CountDropped();
        if (isFinal)
        {
            _state = ConnectionState.Refused;
            Tell(Severity.Error, "data_connection_refused", $"The data connection cannot be opened, and is not tried again. {why}");
            return;
        }
        _state = ConnectionState.Away;
        // A server that is away for the whole call would fill the log.
        if ((_failures & (_failures - 1)) == 0) Tell(Severity.Warning, "data_connection_failed", $"The data connection could not be opened (attempt {_failures}). {why}");
    }

    private async Task ServeAsync(WebSocket socket)
    {
        var since = clock.GetTimestamp();
        queue.Open();
        _state = ConnectionState.Open;
        TellOpen();
        metrics.Opened();
        SessionEnd end;
        using (var session = new DataSession(socket, queue, listener, options, clock))
        {
            _session = session;
            end = await session.RunAsync(() => _mayReturn, _abandoned.Token);
            _session = null;
        }
        metrics.Closed();
        _state = ConnectionState.Away;
        if (end == SessionEnd.CallEnded) return;
        if (clock.GetElapsedTime(since) >= options.StableAfter) _backoff.Reset();
        CountDropped();
        metrics.Lost(end);
        if (!_ended.IsCancellationRequested) Tell(Severity.Warning, "data_connection_lost", $"The data connection ended. {Words(end)} It is opened again.");
    }

    private void TellOpen()
    {
        CountDropped();
        var dropped = Take(ref _dropped);
        var attempts = _failures > 0 ? $" after {_failures} failed attempts" : "";
        var losses = dropped.Any ? $" Meanwhile {dropped.Messages} messages and {Seconds(dropped):0.#} s of sound were dropped." : "";
        Tell(dropped.Any ? Severity.Warning : Severity.Info, "data_connection_open", $"The data connection is open{attempts}.{losses}");
        _failures = 0;
    }

    private string Words(SessionEnd end) => end switch
    {
        SessionEnd.ClosedByPeer => "The server closed it.",
        SessionEnd.TooSlow => $"The server took nothing for {options.SendTimeout.TotalSeconds:0.#} s.",
        SessionEnd.Overflow => $"The server was too slow: more than {options.MessageQueueBytes / 1024} KiB of messages waited, and were dropped.",
        SessionEnd.MessageTooBig => $"The server sent a message of more than {DataSession.LongestMessage / 1024} KiB.",
        _ => "It was lost.",
    };

    private double Seconds(DroppedData dropped) => audio is null ? 0 : (double)dropped.AudioBytes / audio.BytesPerSecond;

    /// <summary>Those who watch the metrics learn it at once, those who read the events with the next opening.</summary>
    private void CountDropped()
    {
        var dropped = queue.TakeDropped();
        _dropped += dropped;
        metrics.Dropped(dropped);
    }

    private static DroppedData Take(ref DroppedData dropped)
    {
        var taken = dropped;
        dropped = default;
        return taken;
    }

    private void Tell(Severity severity, string type, string text) => listener.OnConnectionNotice(new(severity, type, text));

    [LoggerMessage(3201, LogLevel.Debug, "The data connection of call {CallId} could not be opened")]
    private partial void LogNotOpened(string callId, Exception exception);

    [LoggerMessage(3202, LogLevel.Error, "The data connection of call {CallId} failed")]
    private partial void LogDefect(string callId, Exception exception);
}
