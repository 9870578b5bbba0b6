using Npgsql;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.Grains.Calls.Limits;

/// <summary>
/// Holds a call's creation to its limits in the transaction that stores the call. Who is killed in between has created nothing, and what is counted is the
/// calls themselves, so no place can be lost or taken twice. A call without limits costs nothing here.
/// </summary>
internal sealed class CallLimitGuard(CallLimitCheck check) : IStateProjection<CallState>
{
    /// <summary>What no rule looks at any more goes, so that a throttle keeps about as many rows as its rules count.</summary>
    private const string Use = """
        with throttle as (select throttle_id, rules from call_throttles where throttle_id = $1 for key share),
        old as (
            delete from call_throttle_uses where throttle_id = $1 and created <= $2 - make_interval(secs => coalesce((
                select max(r."windowSeconds") from throttle, jsonb_to_recordset(throttle.rules) r("windowSeconds" integer)), 0)))
        insert into call_throttle_uses (throttle_id, created, call_id) select throttle_id, $2, $3 from throttle
        """;

    public async Task ProjectAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, CallState? state, CancellationToken cancellationToken)
    {
        if (state is not { Limits: { IsNone: false } limits, Settings: { } settings }) return;
        await check.RequireRoomAsync(connection, transaction, settings.AccountId, limits, cancellationToken);
        if (limits.ThrottleId is not { } throttle) return;
        await using var use = new NpgsqlCommand(Use, connection, transaction)
        {
            Parameters = { new() { Value = throttle }, new() { Value = settings.Created }, new() { Value = settings.CallId } },
        };
        await use.ExecuteNonQueryAsync(cancellationToken);
    }
}
