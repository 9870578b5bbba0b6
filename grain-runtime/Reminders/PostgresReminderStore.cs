using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.Reminders;

/// <summary>Reminders in the table <c>grain_reminders</c>. Processes share it: a claim is a lease that skips rows others are claiming.</summary>
internal sealed class PostgresReminderStore(NpgsqlDataSource database, TimeProvider clock, ClusterMembership? cluster = null) : IReminderStore
{
    private const string Columns = "r.grain_type, r.grain_key, r.name, r.first_tick, r.period, r.next_tick, r.version";

    /// <summary>In a cluster PostgreSQL's time, whatever the clocks of the silos say.</summary>
    public DateTimeOffset Now => clock.GetUtcNow() + (cluster?.ClockOffset ?? TimeSpan.Zero);

    public Task SaveAsync(GrainId grain, string name, DateTimeOffset firstTick, TimeSpan period, CancellationToken cancellationToken) => ExecuteAsync(
        """
        INSERT INTO grain_reminders (grain_type, grain_key, name, first_tick, period, next_tick) VALUES ($1, $2, $3, $4, $5, $4)
        ON CONFLICT (grain_type, grain_key, name)
        DO UPDATE SET first_tick = $4, period = $5, next_tick = $4, lease_until = NULL, version = grain_reminders.version + 1
        """,
        [grain.Type, grain.Key, name, firstTick.ToUniversalTime(), period],
        cancellationToken);

    public Task DeleteAsync(GrainId grain, string name, CancellationToken cancellationToken) => ExecuteAsync(
        "DELETE FROM grain_reminders WHERE grain_type = $1 AND grain_key = $2 AND name = $3", [grain.Type, grain.Key, name], cancellationToken);

    public Task<List<Reminder>> ListAsync(GrainId grain, CancellationToken cancellationToken) => QueryAsync(
        $"SELECT {Columns} FROM grain_reminders r WHERE grain_type = $1 AND grain_key = $2 ORDER BY name", [grain.Type, grain.Key], cancellationToken);

    public Task<List<Reminder>> ClaimDueAsync(DateTimeOffset now, DateTimeOffset leaseUntil, int most, CancellationToken cancellationToken) => QueryAsync(
        $"""
        UPDATE grain_reminders r SET lease_until = $2, lease_owner = $4
        FROM (SELECT grain_type, grain_key, name FROM grain_reminders
              WHERE next_tick <= $1 AND (lease_until IS NULL OR lease_until <= $1 OR lease_owner IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM silos WHERE id = lease_owner AND silos.lease_until > clock_timestamp()))
              ORDER BY next_tick LIMIT $3 FOR UPDATE SKIP LOCKED) due
        WHERE r.grain_type = due.grain_type AND r.grain_key = due.grain_key AND r.name = due.name
        RETURNING {Columns}
        """,
        [now.ToUniversalTime(), leaseUntil.ToUniversalTime(), most, (object?)cluster?.LocalSilo ?? DBNull.Value],
        cancellationToken);

    public Task RescheduleAsync(Reminder reminder, DateTimeOffset nextTick, CancellationToken cancellationToken) => ExecuteAsync(
        """
        UPDATE grain_reminders SET next_tick = $5, lease_until = NULL
        WHERE grain_type = $1 AND grain_key = $2 AND name = $3 AND version = $4 AND next_tick < $5
        """,
        [reminder.Grain.Type, reminder.Grain.Key, reminder.ReminderName, reminder.Version, nextTick.ToUniversalTime()],
        cancellationToken);

    private async Task ExecuteAsync(string sql, object[] parameters, CancellationToken cancellationToken)
    {
        await using var command = Command(sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<Reminder>> QueryAsync(string sql, object[] parameters, CancellationToken cancellationToken)
    {
        var reminders = new List<Reminder>();
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            reminders.Add(new(
                new(reader.GetString(0), reader.GetString(1)),
                reader.GetString(2),
                reader.GetFieldValue<DateTimeOffset>(3),
                reader.GetFieldValue<TimeSpan>(4),
                reader.GetFieldValue<DateTimeOffset>(5),
                reader.GetInt32(6)));
        }
        return reminders;
    }

    private NpgsqlCommand Command(string sql, object[] parameters)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(value is DBNull ? new() { Value = value, NpgsqlDbType = NpgsqlDbType.Text } : new() { Value = value });
        return command;
    }
}
