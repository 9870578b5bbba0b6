using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Storage;

/// <summary>
/// Knows whether PostgreSQL answers, by asking it once a second on a connection of its own. Readiness says what this says, and requests that would need the
/// database are refused by it at once: without it each of them would wait for a timeout of its own, and a connection that swallows everything would fill the
/// pool with them. Away is a connection that breaks with no new one to be had, or two answers in a row that took too long.
/// </summary>
public sealed partial class DatabaseWatch : BackgroundService
{
    private const int LateAnswersAllowed = 1;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _clock;
    private readonly ILogger<DatabaseWatch> _logger;
    private readonly Meter _meter;
    private readonly Counter<long> _refusals;
    private Probe? _probe;
    private int _lateAnswers;
    private long _awaySince;
    private volatile State _state;

    public DatabaseWatch(NpgsqlDataSource database, IMeterFactory meters, TimeProvider clock, ILogger<DatabaseWatch> logger)
    {
        (_database, _clock, _logger) = (database, clock, logger);
        _meter = meters.Create("VoiceGrains.Storage");
        _meter.CreateObservableGauge("voicegrains.database.away", () => _state == State.Away ? 1 : 0, null, "1 while PostgreSQL does not answer.");
        _refusals = _meter.CreateCounter<long>("voicegrains.database.refusals", "{request}", "Requests that were refused at once because PostgreSQL did not answer.");
    }

    private enum State : byte { Unknown, Answers, Away }

    /// <summary>Whether it answered lately. False also before its first answer.</summary>
    public bool Answers => _state == State.Answers;

    /// <summary>Refuses what would need the database while it is known to be away.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.DatabaseUnavailable"/>.</exception>
    public void RequireDatabase()
    {
        if (_state != State.Away) return;
        _refusals.Add(1);
        throw Unavailable();
    }

    /// <summary>What clients are told.</summary>
    public static PlatformException Unavailable()
        => new(ErrorCode.DatabaseUnavailable, "The database does not answer at the moment. Try again soon.") { RetryAfter = Retry };

    /// <summary>Looks once before the next service starts, so that a server that listens knows.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            _probe?.Release();
        }
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        var wasOpen = _probe is not null;
        try
        {
            await AskAsync(stopping);
        }
        catch (NpgsqlException) when (wasOpen)
        {
            await TryAgainAsync(stopping);      // only this connection may be broken, as by a restart that is over
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            OnFailure(failure);
        }
    }

    private async Task TryAgainAsync(CancellationToken stopping)
    {
        try
        {
            await AskAsync(stopping);
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            OnFailure(failure);
        }
    }

    /// <summary>A question that is late is left to end by itself, with its connection: to cancel it would wait for the network as well.</summary>
    private async Task AskAsync(CancellationToken stopping)
    {
        var probe = _probe ?? new Probe(_database);
        _probe = null;
        var asking = probe.AskAsync();
        try
        {
            await asking.WaitAsync(AnswerLimit, _clock, stopping);
        }
        catch
        {
            probe.Release();
            throw;
        }
        _probe = probe;
        OnAnswer();
    }

    private void OnAnswer()
    {
        _lateAnswers = 0;
        var before = _state;
        _state = State.Answers;
        if (before == State.Away) LogBack(_clock.GetElapsedTime(_awaySince).TotalSeconds);
    }

    private void OnFailure(Exception failure)
    {
        if (_state == State.Away || failure is TimeoutException && _lateAnswers++ < LateAnswersAllowed) return;
        _awaySince = _clock.GetTimestamp();
        _state = State.Away;
        LogAway(failure.Message);
    }

    [LoggerMessage(1401, LogLevel.Error, "The database does not answer: {Reason}. Calls go on, what they store is kept in memory, and requests are refused until it is back")]
    private partial void LogAway(string reason);

    [LoggerMessage(1402, LogLevel.Warning, "The database answers again, after {Seconds:0.0} s")]
    private partial void LogBack(double seconds);

    /// <summary>A connection and the one question on it.</summary>
    private sealed class Probe(NpgsqlDataSource database)
    {
        private NpgsqlConnection? _connection;
        private Task _asking = Task.CompletedTask;

        public Task AskAsync() => _asking = RunAsync();

        /// <summary>Gives the connection back, when its question is over.</summary>
        public void Release() => _ = _asking.ContinueWith(
            done =>
            {
                _ = done.Exception;     // seen
                _connection?.Dispose();
            }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        private async Task RunAsync()
        {
            _connection ??= await database.OpenConnectionAsync(CancellationToken.None);
            await using var command = new NpgsqlCommand("select 1", _connection);
            await command.ExecuteScalarAsync(CancellationToken.None);
        }
    }
}
