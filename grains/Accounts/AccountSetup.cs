using Npgsql;
using VoiceGrains.GrainInterfaces.Accounts;

namespace VoiceGrains.Grains.Accounts;

/// <summary>Makes an empty installation usable: somebody must hold the first key.</summary>
public sealed class AccountSetup(NpgsqlDataSource database, AccountStore accounts)
{
    /// <summary>Plan of the first account. No limits are configured for it: the machine is the operator's own.</summary>
    public const string SelfHostedPlan = "self_hosted";

    /// <summary>Any constant of ours: it keeps two silos that start at once from both making a first account.</summary>
    private const long LockKey = 0x56_47_61_63_63_74;

    /// <summary>On a database without accounts makes one with a key, and returns both; null where an account exists. The key is shown only now.</summary>
    public async Task<FirstAccount?> EnsureFirstAccountAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var serialize = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = LockKey } } })
            await serialize.ExecuteNonQueryAsync(cancellationToken);
        await using (var any = new NpgsqlCommand("select exists (select from accounts)", connection))
            if (await any.ExecuteScalarAsync(cancellationToken) is true) return null;
        var account = await accounts.InsertAsync(connection, "Default", SelfHostedPlan, cancellationToken);
        var key = await accounts.InsertKeyAsync(connection, account.AccountId, "first key", expires: null, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return new(account, key.Text);
    }
}

/// <param name="ApiKey">A secret: shown to the operator once, never logged.</param>
public sealed record FirstAccount(Account Account, string ApiKey);
