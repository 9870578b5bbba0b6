using System.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>
/// Hears from the database which keys and accounts change, whichever process changed them, so that what ended is refused at once by every gateway. While the
/// database is away, or behind a pooler that passes no notifications on, what <see cref="ApiKeyVerifier"/> remembers still ends within
/// <see cref="ApiKeyVerifier.CacheTime"/>.
/// </summary>
internal sealed partial class ApiKeyChanges(NpgsqlDataSource database, ApiKeyVerifier keys, TimeProvider clock, ILogger<ApiKeyChanges> logger) : BackgroundService
{
    private const string Channel = "voicegrains_keys";

    /// <summary>A connection on which nothing comes is tried so often: a network may swallow it without a word.</summary>
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var failed = false; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                await ListenAsync(() => failed = false, stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failed) LogAway(failure.Message);
                failed = true;
                await Task.Delay(Retry, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(Action listening, CancellationToken stopping)
    {
        await using var connection = await database.OpenConnectionAsync(stopping);
        connection.Notification += (_, change) =>
        {
            if (change.Payload.Length == 0) keys.ForgetAll();
            else keys.Forget(change.Payload);
        };
        await using var listen = new NpgsqlCommand("listen " + Channel, connection);
        await listen.ExecuteNonQueryAsync(stopping);
        try
        {
            keys.ForgetAll();       // what changed before, nobody heard
            listening();
            await using var probe = new NpgsqlCommand("select 1", connection);
            while (true)
            {
                if (!await connection.WaitAsync(ProbeAfter, stopping)) await probe.ExecuteScalarAsync(stopping);
            }
        }
        finally
        {
            await StopListeningAsync(connection);
        }
    }

    /// <summary>The pool's next user of the connection shall not be told.</summary>
    private static async Task StopListeningAsync(NpgsqlConnection connection)
    {
        if (connection.FullState != ConnectionState.Open) return;
        await using var unlisten = new NpgsqlCommand("unlisten " + Channel, connection);
        await unlisten.ExecuteNonQueryAsync(CancellationToken.None);
    }

    [LoggerMessage(2012, LogLevel.Warning, "Changes of API keys are not heard of: {Reason}. A key that ends is refused some seconds later, until they are")]
    private partial void LogAway(string reason);
}
