using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Secrets;

/// <summary>What authenticates a tenant elsewhere is nowhere in the database as it came.</summary>
public sealed class SecretsAtRestTests(SiloFixture silo)
{
    private const string Secret = "hush-4f1c0b7e";

    private static readonly object Voice = new { generic = new { url = "https://tts.example.com/speak", headers = new { Authorization = Secret }, body = new { text = "{text}" } } };

    private static readonly object Tool = new
    {
        temporaryTool = new
        {
            modelToolName = "lookup", description = "Looks up.",
            requirements = new { httpSecurityOptions = new { options = new[] { new { requirements = new { key = new { headerApiKey = new { name = "X-Key" } } } } } } },
            http = new { baseUrlPattern = "https://api.example.com/", httpMethod = "GET" },
        },
        authTokens = new { key = Secret },
    };

    private static readonly object Transfer = new { toolName = "coldTransfer", parameterOverrides = new { target = "sip:desk@pbx.example.com", username = "anna", password = Secret } };

    [Fact]
    public async Task SecretsOfAgentsAndCalls_AreSealedInEveryTable_AndShownOnlyWhereTheApiShowsThem()
    {
        using var client = await silo.CreateClientAsync();
        var template = new { externalVoice = Voice, selectedTools = new[] { Tool, Transfer }, sharedSecrets = new[] { Secret } };
        var agent = await client.PostAsync("/api/agents", new { name = "sealed", callTemplate = template });
        Assert.Equal(201, agent.Status);
        var call = await client.PostAsync("/api/calls", new
        {
            externalVoice = Voice, selectedTools = new[] { Tool, Transfer }, sharedSecrets = new[] { Secret },
            callbacks = new { ended = new { url = "https://hooks.example.com/", secrets = new[] { Secret } } },
        });
        Assert.Equal(201, call.Status);

        foreach (var (table, column) in await JsonColumnsAsync())
            Assert.True(await CountAsync($"select count(*) from {table} where {column}::text like '%{Secret}%'") == 0, $"{table}.{column} holds the secret.");

        var tools = await client.GetAsync($"/api/calls/{call.Json.GetProperty("callId").GetString()}/tools");
        Assert.Contains("sip:desk@pbx.example.com", tools.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, tools.Text, StringComparison.Ordinal);
        Assert.Equal(Secret, call.Json.GetProperty("externalVoice").GetProperty("generic").GetProperty("headers").GetProperty("Authorization").GetString());
    }

    private async Task<List<(string Table, string Column)>> JsonColumnsAsync()
    {
        await using var command = Database.CreateCommand("select table_name, column_name from information_schema.columns where table_schema = 'public' and data_type in ('jsonb', 'json', 'text', 'bytea')");
        await using var reader = await command.ExecuteReaderAsync(SiloFixture.Cancel);
        var columns = new List<(string, string)>();
        while (await reader.ReadAsync(SiloFixture.Cancel)) columns.Add((reader.GetString(0), reader.GetString(1)));
        Assert.Contains(("grain_state", "state"), columns);
        return columns;
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(SiloFixture.Cancel))!;
    }

    private NpgsqlDataSource Database => silo.Services.GetRequiredService<NpgsqlDataSource>();
}
