using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Accounts;

/// <summary>On a silo of its own, which logs everything and allows an account three keys.</summary>
public sealed class ApiKeySecrecyTests : IAsyncLifetime
{
    private readonly LogKeeper _logs = new();
    private TestDatabase _database = null!;
    private WebApplication _silo = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _silo = await SiloFixture.StartAsync(
            _database, ("Accounts:MaxApiKeys", "3"),
            ("Logging:LogLevel:Default", "Trace"), ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"), ("Logging:Console:LogLevel:Default", "Warning"));
        _silo.Services.GetRequiredService<ILoggerFactory>().AddProvider(_logs);
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.StopAsync();
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task TheSecret_IsNeitherStoredNorLogged_AndTheLimitHolds()
    {
        using var client = await SiloFixture.CreateClientAsync(_silo);
        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => client.PostAsync("/api/api_keys", new { name = $"key {i}" })));
        Assert.Equal(2, replies.Count(r => r.Status == 201));
        Assert.All(replies.Where(r => r.Status != 201), r => Assert.Equal(
            (400, """{"non_field_errors":["An account may have no more than 3 API keys. Delete one that is no longer used."]}"""), (r.Status, r.Text)));

        var secret = replies.First(r => r.Status == 201).Json.GetProperty("secret").GetString()!;
        using var holder = new ApiClient(SiloFixture.AddressOf(_silo), client.Account, secret);
        Assert.Equal(200, (await holder.GetAsync("/api/accounts/me")).Status);
        Assert.Equal(204, (await holder.DeleteAsync("/api/api_keys/" + client.Key[..8])).Status);
        Assert.Equal(403, (await client.GetAsync("/api/accounts/me")).Status);
        Assert.Equal(201, (await holder.PostAsync("/api/api_keys", new { name = "there is room again" })).Status);

        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes(secret)), await ScalarAsync<byte[]>($"select key_hash from api_keys where prefix = '{secret[..8]}'"));
        foreach (var table in await ScalarAsync<string[]>("select array_agg(table_name::text) from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"))
        {
            var hex = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(secret[9..]));   // as a binary column would show it
            Assert.True(await ScalarAsync<long>($"select count(*) from {table} t where t::text like '%{secret[9..]}%' or t::text like '%{hex}%'") == 0, $"{table} holds the secret.");
        }
        Assert.Contains(_logs.Lines, line => line == $"API key {secret[..8]} of account {client.Account.AccountId} was created");
        Assert.Contains(_logs.Lines, line => line.StartsWith("Request starting", StringComparison.Ordinal));   // the web server is heard, too
        foreach (var key in (string[])[secret, client.Key]) Assert.DoesNotContain(_logs.Lines, line => line.Contains(key[9..], StringComparison.Ordinal));
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(SiloFixture.Cancel))!;
    }
}
