using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>A silo with a database that nobody else uses, so that what a refused request leaves behind can be seen, and two accounts that own one thing of each kind.</summary>
public sealed class NegativeHost : IAsyncLifetime
{
    public const string Nobody = "11111111-2222-3333-4444-555555555555";

    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Right bodies for operations that take more than <c>{}</c>. Where something is changed, its present state is a right body.</summary>
    private static readonly Dictionary<string, string> Samples = new(StringComparer.Ordinal)
    {
        ["POST /api/agents"] = """{"name":"Agent","callTemplate":{"systemPrompt":"Hi {{name}}"}}""",
        ["POST /api/agents/{agentId}/calls"] = """{"templateContext":{"name":"Ann"},"joinTimeout":"7200s"}""",
        ["POST /api/api_keys"] = """{"name":"spare"}""",
        ["POST /api/call_throttles"] = """{"name":"night","rules":[{"maxCalls":100,"windowSeconds":60}]}""",
        ["POST /api/calls"] = """{"joinTimeout":"7200s"}""",
        ["POST /api/calls/{callId}/send_data_message"] = """{"type":"user_text_message","text":"Hi"}""",
        ["POST /api/telephony_configs/plivo"] = """{"authId":"id","authToken":"token"}""",
        ["POST /api/telephony_configs/telnyx"] = """{"accountSid":"sid","apiKey":"key","publicKey":"public","applicationSid":"sid"}""",
        ["POST /api/telephony_configs/twilio"] = """{"accountSid":"sid","authToken":"token"}""",
        ["POST /api/tools"] = """{"name":"tool","definition":{"modelToolName":"look","description":"Looks.","client":{}}}""",
        ["POST /api/voice_preview"] = """{"definition":{"generic":{"url":"http://127.0.0.1:1/","headers":{},"body":{"text":"{text}"},"responseSampleRate":16000,"responseMimeType":"audio/l16"}}}""",
        ["POST /api/voices"] = """{"name":"voice","definition":{"generic":{"url":"http://127.0.0.1:1/","headers":{},"body":{"text":"{text}"},"responseSampleRate":16000,"responseMimeType":"audio/l16"}}}""",
        ["POST /api/v1/connection/connection-details"] = """{"agent_id":"11111111-2222-3333-4444-555555555555"}""",
        ["POST /api/webhooks"] = """{"url":"https://93.184.215.14/hook","events":["call.ended"]}""",
    };

    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = 32 }) { Timeout = TimeSpan.FromSeconds(30) };
    private TestDatabase? database;
    private WebApplication? app;

    internal IReadOnlyList<ApiOperation> Operations { get; private set; } = [];
    internal NegativeAccount Ours { get; private set; } = null!;
    internal NegativeAccount Theirs { get; private set; } = null!;
    internal string RevokedKey { get; private set; } = "";
    internal string ExpiredKey { get; private set; } = "";
    internal IReadOnlyList<string> Secrets { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        app = await SiloFixture.StartAsync(database, ("Gateway:RequestsPerSecondPerAccount", "0"), ("Accounts:MaxCallThrottles", "1000"), ("Outbound:AllowedNetworks:0", "127.0.0.1/32"));
        http.BaseAddress = SiloFixture.AddressOf(app);
        Operations = ApiOperation.All(app.Services);
        Ours = await CreateAccountAsync();
        Theirs = await CreateAccountAsync();
        var keys = app.Services.GetRequiredService<AccountStore>();
        var revoked = await keys.CreateKeyAsync(Ours.AccountId, "revoked", null, default);
        await app.Services.GetRequiredService<ApiKeyStore>().RevokeAsync(Ours.AccountId, revoked.Prefix, default);
        RevokedKey = revoked.Text;
        ExpiredKey = (await keys.CreateKeyAsync(Ours.AccountId, "expired", DateTimeOffset.UtcNow.AddSeconds(-1), default)).Text;
        Secrets = [Ours.Key, Theirs.Key, RevokedKey, ExpiredKey];
    }

    internal static ByteArrayContent Json(string text) => Content(text, "application/json");

    internal static ByteArrayContent Content(string text, string type)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    /// <summary>A body that is right, for one thing of an account.</summary>
    internal async Task<JsonObject> SampleAsync(ApiOperation operation, NegativeAccount owner)
    {
        if (Samples.TryGetValue($"{operation}", out var sample)) return JsonNode.Parse(sample)!.AsObject();
        if (!operation.IsServed || operation.Method == "POST") return [];
        using var request = new HttpRequestMessage(HttpMethod.Get, operation.Path(owner.Value(operation)));
        request.Headers.Add("X-API-Key", owner.Key);
        using var answer = await http.SendAsync(request);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<JsonObject>())! : [];
    }

    internal async Task<Answer> SendAsync(Probe probe, CancellationToken cancellationToken)
    {
        var method = new HttpMethod(probe.Method ?? probe.Operation.Method);
        using var request = new HttpRequestMessage(method, new Uri(http.BaseAddress!.GetLeftPart(UriPartial.Authority) + probe.Path, in AsItIs)) { Content = probe.Body };
        if (probe.Key is { } key) request.Headers.TryAddWithoutValidation("X-API-Key", key);
        foreach (var (name, value) in probe.Headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await http.SendAsync(request, cancellationToken);
        var content = answer.Content;
        var text = content.Headers.ContentType?.MediaType == "audio/wav" ? "(sound)" : await content.ReadAsStringAsync(cancellationToken);
        return new((int)answer.StatusCode, content.Headers.ContentType?.MediaType, text, [.. content.Headers.Allow], method == HttpMethod.Head, answer.Headers.ConnectionClose == true);
    }

    /// <summary>Every row of every table but for when keys were last used and signs of life.</summary>
    internal async Task<IReadOnlyDictionary<string, string>> SnapshotAsync()
    {
        var source = app!.Services.GetRequiredService<NpgsqlDataSource>();
        var tables = new List<string>();
        await using (var names = source.CreateCommand("select table_name from information_schema.tables where table_schema = 'public' and table_name <> 'conversation_hosts' order by 1"))
        await using (var row = await names.ExecuteReaderAsync())
        {
            while (await row.ReadAsync()) tables.Add(row.GetString(0));
        }
        var snapshot = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            await using var rows = source.CreateCommand($"select count(*) || ' rows, ' || coalesce(md5(string_agg((to_jsonb(t) - 'last_used')::text, ',' order by t::text)), '') from \"{table}\" t");
            snapshot[table] = (string)(await rows.ExecuteScalarAsync())!;
        }
        return snapshot;
    }

    internal async Task AssertUnchangedAsync(IReadOnlyDictionary<string, string> before)
    {
        var now = await SnapshotAsync();
        Assert.Empty(now.Where(table => before[table.Key] != table.Value).Select(table => $"{table.Key}: {before[table.Key]} became {table.Value}"));
    }

    private async Task<NegativeAccount> CreateAccountAsync()
    {
        using var client = await SiloFixture.CreateClientAsync(app!);
        var values = new Dictionary<string, string>(StringComparer.Ordinal) { ["index"] = "0" };
        var agent = await CreateAsync(client, "/api/agents");
        values["agentId"] = Text(agent, "agentId");
        values["toolId"] = Text(await CreateAsync(client, "/api/tools"), "toolId");
        values["webhookId"] = Text(await CreateAsync(client, "/api/webhooks"), "webhookId");
        values["throttleId"] = Text(await CreateAsync(client, "/api/call_throttles"), "throttleId");
        values["voiceId"] = Text(await CreateAsync(client, "/api/voices"), "voiceId");
        values["prefix"] = Text(await CreateAsync(client, "/api/api_keys"), "prefix");
        values["callId"] = Text(await CreateAsync(client, "/api/calls"), "callId");
        values["stageId"] = (await client.GetAsync($"/api/calls/{values["callId"]}/stages")).Json.GetProperty("results")[0].GetProperty("callStageId").GetString()!;
        var deleted = Text(await CreateAsync(client, "/api/calls"), "callId");
        Assert.Equal(204, (await client.DeleteAsync($"/api/calls/{deleted}")).Status);
        foreach (var provider in (string[])["plivo", "telnyx", "twilio"]) await CreateAsync(client, $"/api/telephony_configs/{provider}");
        return new(client.Account.AccountId, client.Key, values, deleted);
    }

    private static async Task<JsonElement> CreateAsync(ApiClient client, string path)
    {
        var made = await client.PostAsync(path, Samples[$"POST {path}"]);
        Assert.True(made.Status == 201, $"POST {path}: {made.Status} {made.Text}");
        return made.Json;
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        if (database is not null) await database.DisposeAsync();
    }
}

/// <summary>An account, and what stands for each parameter in a path.</summary>
internal sealed record NegativeAccount(Guid AccountId, string Key, IReadOnlyDictionary<string, string> Values, string DeletedCallId)
{
    /// <summary>Ids of what the account has; nobody's where the suite makes nothing of that kind.</summary>
    public Func<string, string> Value(ApiOperation operation) => name
        => name == "callId" && operation.Route.StartsWith("/api/deleted_calls", StringComparison.Ordinal) ? DeletedCallId : Values.GetValueOrDefault(name, NegativeHost.Nobody);
}
