using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Deletes the recordings of deleted calls. That they are to be deleted is written in the transaction that deletes the call, so that neither a crash nor a blob
/// store that is away leaves sound that nobody can find any more. To delete twice does no harm.
/// </summary>
internal sealed partial class RecordingRemovals(NpgsqlDataSource database, IBlobStore blobs, TimeProvider clock, ILogger<RecordingRemovals> logger)
{
    /// <summary>For the grain, which deletes them itself if it lives.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>For a conversation that must learn first that its call is gone.</summary>
    public static readonly TimeSpan LivePatience = TimeSpan.FromMinutes(10);

    /// <summary>Runs before the call's row is deleted. Parameters: the call, and when it is due otherwise and for a call that was live.</summary>
    public const string Note = """
        insert into recording_removals (call_id, generations, was_live, due)
        select call_id, array(select (part->>'generation')::integer from jsonb_array_elements(coalesce(document->'recordingParts', '[]')) part),
            joined is not null and ended is null, case when joined is not null and ended is null then $3 else $2 end
        from calls where call_id = $1 and (document->'settings'->>'recordingEnabled')::boolean
        on conflict (call_id) do nothing
        """;

    private const string Claim = """
        update recording_removals set due = $2 where call_id in (
            select call_id from recording_removals where due <= $1 order by due limit $3 for update skip locked)
        returning call_id, generations
        """;

    /// <summary>At once, for a call that was just deleted. What fails is tried again later.</summary>
    public async Task RemoveAsync(string callId)
    {
        try
        {
            await using var find = database.CreateCommand("select generations from recording_removals where call_id = $1");
            find.Parameters.Add(new() { Value = callId });
            if (await find.ExecuteScalarAsync() is not int[] generations) return;
            Delete(callId, generations);
            await ForgetAsync("delete from recording_removals where call_id = any($1) and not was_live", [callId], CancellationToken.None);
        }
        catch (Exception failure) when (failure is NpgsqlException or IOException or UnauthorizedAccessException)
        {
            LogNotRemoved(callId, failure);
        }
    }

    /// <summary>Deletes what is due, at most so many calls' recordings. Tells how many are gone and whether all of these went well.</summary>
    public async Task<(int Removed, int Failed)> RemoveDueAsync(int most, CancellationToken cancellationToken)
    {
        var done = new List<string>();
        var failed = 0;
        foreach (var (callId, generations) in await ClaimAsync(most, cancellationToken))
        {
            try
            {
                Delete(callId, generations);
                done.Add(callId);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                failed++;
                LogNotRemoved(callId, failure);
            }
        }
        if (done.Count > 0) await ForgetAsync("delete from recording_removals where call_id = any($1)", [.. done], cancellationToken);
        return (done.Count, failed);
    }

    private async Task<List<(string CallId, int[] Generations)>> ClaimAsync(int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Claim);
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() + LivePatience });
        command.Parameters.Add(new() { Value = most });
        var claimed = new List<(string, int[])>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) claimed.Add((row.GetString(0), row.GetFieldValue<int[]>(1)));
        return claimed;
    }

    private void Delete(string callId, int[] generations)
    {
        foreach (var generation in generations) blobs.Delete(CallBlobs.Recording(callId, generation));
    }

    private async Task ForgetAsync(string sql, string[] callIds, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = callIds });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(1006, LogLevel.Warning, "The recording of deleted call {CallId} could not be deleted; this is tried again")]
    private partial void LogNotRemoved(string callId, Exception exception);
}
