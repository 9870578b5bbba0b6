using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Usage;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Administration;

/// <summary>What the administrator may, and nobody else.</summary>
[Collection(typeof(AdminCollection))]
public sealed class AdminEndpointTests(AdminSilo silo, SiloFixture plain)
{
    [Theory]
    [InlineData("", "", 401, """{"detail":"The administrator's token was not provided.","code":"not_authenticated"}""")]
    [InlineData("Authorization", "Bearer ", 403, """{"detail":"Invalid administrator's token.","code":"authentication_failed"}""")]
    [InlineData("Authorization", "Bearer a-token-of-an-administrator-012345678", 403, """{"detail":"Invalid administrator's token.","code":"authentication_failed"}""")]
    [InlineData("Authorization", "Bearer a-token-of-an-administrator-01234567890", 403, """{"detail":"Invalid administrator's token.","code":"authentication_failed"}""")]
    [InlineData("Authorization", "Basic " + AdminSilo.Token, 403, """{"detail":"Invalid administrator's token.","code":"authentication_failed"}""")]
    [InlineData("X-API-Key", AdminSilo.Token, 401, """{"detail":"The administrator's token was not provided.","code":"not_authenticated"}""")]
    public async Task AnythingButTheToken_IsRefused(string header, string value, int status, string answer)
    {
        var reply = await silo.SendAsync("GET", "/admin/accounts", header: (header, value));
        Assert.Equal((status, answer), (reply.Status, reply.Text));
        if (status == 401) Assert.Equal("Bearer", Assert.Single(reply.Headers.WwwAuthenticate).Scheme);
    }

    [Fact]
    public async Task AKeyIsNoToken_AndTheTokenIsNoKey()
    {
        using var client = await silo.CreateAccountAsync();
        Assert.Equal(401, (await client.GetAsync("/admin/accounts")).Status);
        Assert.Equal(403, (await silo.SendAsync("GET", "/admin/accounts", header: ("Authorization", "Bearer " + client.Key))).Status);
        Assert.Equal(401, (await silo.SendAsync("GET", "/api/accounts/me")).Status);
    }

    [Fact]
    public async Task WithoutAToken_ThereIsNoAdministration()
    {
        using var client = await plain.CreateClientAsync();
        Assert.Equal((404, """{"detail":"Not found."}"""), await AskAsync("/admin/accounts"));
        client.Http.DefaultRequestHeaders.Add("Authorization", "Bearer " + AdminSilo.Token);
        Assert.Equal((404, """{"detail":"Not found."}"""), await AskAsync("/admin/usage"));

        async Task<(int, string)> AskAsync(string path) => await client.GetAsync(path) is var reply ? (reply.Status, reply.Text) : default;
    }

    [Fact]
    public async Task AnAccount_IsMade_Found_AndChanged()
    {
        var name = "Ünicode & Söhne " + Guid.NewGuid();
        var made = await silo.SendAsync("POST", "/admin/accounts", $$"""{"name":"{{name}}","retentionDays":30,"keyName":"theirs"}""");
        Assert.Equal((201, true), (made.Status, made.Headers.CacheControl!.NoStore));
        var account = made.Json.GetProperty("account");
        var id = account.GetProperty("accountId").GetGuid();
        using var client = new ApiClient(silo.Address, new() { AccountId = id, Name = name, Plan = "" }, made.Json.GetProperty("apiKey").GetProperty("secret").GetString()!);
        Assert.Equal((name, "self_hosted"), ((await client.GetAsync("/api/accounts/me")).Json is var me ? (Text(me, "name"), Text(me, "subscriptionTier")) : default));
        Assert.Equal(201, (await client.PostAsync("/api/calls", "{}")).Status);

        var found = (await silo.SendAsync("GET", "/admin/accounts?search=" + name.Split(' ')[^1].ToUpperInvariant())).Json;
        Assert.Equal(1, found.GetProperty("total").GetInt32());
        var listed = found.GetProperty("results")[0];
        Assert.Equal(
            (id, 30, 1, 1, 1L, JsonValueKind.Null),
            (listed.GetProperty("accountId").GetGuid(), listed.GetProperty("retentionDays").GetInt32(), listed.GetProperty("apiKeys").GetInt32(),
                listed.GetProperty("activeCalls").GetInt32(), listed.GetProperty("calls").GetInt64(), listed.GetProperty("disabled").ValueKind));

        var path = "/admin/accounts/" + id;
        Assert.Equal(30, (await silo.SendAsync("PATCH", path, """{"name":"Renamed","plan":"pro","allowedConcurrentCalls":7}""")).Json.GetProperty("retentionDays").GetInt32());
        Assert.Equal(7, (await client.GetAsync("/api/accounts/me")).Json.GetProperty("allowedConcurrentCalls").GetInt32());       // remembered keys are asked about again
        Assert.Equal(0, (await silo.SendAsync("PATCH", path, """{"retentionDays":0}""")).Json.GetProperty("retentionDays").GetInt32());
        var changed = (await silo.SendAsync("PATCH", path, """{"retentionDays":null,"allowedConcurrentCalls":null}""")).Json;
        Assert.Equal(("Renamed", "pro", JsonValueKind.Null), (Text(changed, "name"), Text(changed, "plan"), changed.GetProperty("retentionDays").ValueKind));
        Assert.Equal(changed.GetRawText(), (await silo.SendAsync("GET", path)).Json.GetRawText());
    }

    [Theory]
    [InlineData("POST", "/admin/accounts", "{}", 400, """{"name":["This field is required."]}""")]
    [InlineData("POST", "/admin/accounts", """{"name":"","retentionDays":-1,"more":1}""", 400, null)]
    [InlineData("POST", "/admin/accounts", """{"name":"x","plan":"gold"}""", 400, null)]
    [InlineData("POST", "/admin/accounts", """{"name":"a\u0000"}""", 400, """{"name":["Null characters are not allowed."]}""")]
    [InlineData("PATCH", "/admin/accounts/00000000-0000-0000-0000-000000000001", """{"name":"x"}""", 404, """{"detail":"No account has this id.","code":"not_found"}""")]
    [InlineData("POST", "/admin/accounts/00000000-0000-0000-0000-000000000001/disable", "{}", 404, """{"detail":"No account has this id.","code":"not_found"}""")]
    [InlineData("POST", "/admin/accounts/00000000-0000-0000-0000-000000000001/keys", "{}", 404, """{"detail":"No account has this id.","code":"not_found"}""")]
    [InlineData("GET", "/admin/accounts/00000000-0000-0000-0000-000000000001/keys", null, 404, """{"detail":"No account has this id.","code":"not_found"}""")]
    [InlineData("POST", "/admin/keys/abcdefgh/revoke", null, 404, """{"detail":"No API key has this prefix.","code":"not_found"}""")]
    [InlineData("GET", "/admin/usage?from=2030-01-02&to=2030-01-01", null, 400, """{"from":["Must not be after 'to'."]}""")]
    [InlineData("GET", "/admin/usage?account=x&by=week", null, 400, """{"account":["Must be a valid UUID."]}""")]
    [InlineData("GET", "/admin/usage?by=week", null, 400, """{"by":["\"week\" is not a valid choice."]}""")]
    [InlineData("GET", "/admin/accounts?cursor=x", null, 404, """{"detail":"Invalid cursor","code":"not_found"}""")]
    public async Task Mistakes_AreNamed(string method, string path, string? body, int status, string? answer)
    {
        var reply = await silo.SendAsync(method, path, body);
        Assert.Equal(status, reply.Status);
        if (answer is not null) Assert.Equal(answer, reply.Text);
    }

    [Fact]
    public async Task WhateverComes_IsAnsweredAndNoFaultOfOurs()
    {
        string[] hostile = ["'; drop table accounts; --", "%00", "%C3%28", "\u202E%F0%9F%92%A3", "..%2F..%2Fapi%2Faccounts", "-1", "9999999999999999999", "%25", "{{7*7}}", "\uFFFF"];
        string[] bodies = ["{", "[]", "null", "\"x\"", """{"name":7,"plan":[],"retentionDays":1e300,"expiryDate":"x","endCalls":"yes"}""", """{"name":"\ud800"}""", new string('[', 100_000)];
        using var client = await silo.CreateAccountAsync();
        var account = $"/admin/accounts/{client.Account.AccountId}";
        string[] writes = ["POST /admin/accounts", $"PATCH {account}", $"POST {account}/disable", $"POST {account}/keys"];
        var queries = from text in hostile
                      from path in (string[])[$"/admin/accounts?search={text}", $"/admin/accounts?cursor={text}", $"/admin/accounts?pageSize={text}", $"/admin/accounts/{text}",
                          $"/admin/usage?from={text}", $"/admin/usage?to={text}", $"/admin/usage?account={text}", $"{account}/keys?cursor={text}"]
                      select ("GET", path, (string?)null);
        var requests = queries.Concat(from write in writes from body in bodies select (write.Split(' ')[0], write.Split(' ')[1], (string?)body));
        foreach (var (method, path, body) in requests)
        {
            var reply = await silo.SendAsync(method, path, body);
            Assert.True(reply.Status is 200 or 400 or 404, $"{method} {path} {body?[..Math.Min(body.Length, 50)]}: {reply.Status}");
            if (body is not null) Assert.True(reply.Status == 400, $"{method} {path} {body[..Math.Min(body.Length, 50)]}: {reply.Status}");
        }
        Assert.Equal(200, (await client.GetAsync("/api/accounts/me")).Status);       // nothing of it was done
    }

    [Fact]
    public async Task ADisabledAccount_IsRefusedAtOnceByEveryGateway_AndTakenAgainWhenEnabled()
    {
        using var client = await silo.CreateAccountAsync();
        var clock = new ManualClock();      // stands still: nothing that is remembered ends by itself
        using var other = new ApiKeyVerifier(
            silo.Services.GetRequiredService<AccountStore>(), silo.Services.GetRequiredService<DatabaseWatch>(), silo.Services.GetRequiredService<StrangerLimit>(), clock, NullLogger<ApiKeyVerifier>.Instance);
        using var changes = new ApiKeyChanges(silo.Services.GetRequiredService<NpgsqlDataSource>(), other, TimeProvider.System, NullLogger<ApiKeyChanges>.Instance);
        var before = await ScalarAsync("select (extract(epoch from clock_timestamp()) * 1000000)::bigint");
        await changes.StartAsync(SiloFixture.Cancel);
        await UntilAsync(async () => await ScalarAsync($"""
            select count(*) from pg_stat_activity
            where datname = current_database() and query ilike 'listen voicegrains_keys' and query_start > to_timestamp({before} / 1000000.0)
            """) >= 1);
        Assert.NotNull(await other.VerifyAsync(client.Key, null, SiloFixture.Cancel));

        var path = $"/admin/accounts/{client.Account.AccountId}";
        var disabled = await silo.SendAsync("POST", path + "/disable");
        Assert.Equal((200, 0), (disabled.Status, disabled.Json.GetProperty("endedCalls").GetInt32()));
        var refused = (403, """{"detail":"This account is disabled.","code":"account_disabled"}""");
        Assert.Equal(refused, await client.GetAsync("/api/accounts/me") is var reply ? (reply.Status, reply.Text) : default);
        await UntilAsync(() => IsDisabledAsync(other, client.Key));
        var again = await silo.SendAsync("POST", path + "/disable");
        Assert.Equal(disabled.Json.GetProperty("account").GetRawText(), again.Json.GetProperty("account").GetRawText());        // since when, stays

        Assert.Equal(200, (await silo.SendAsync("POST", path + "/enable")).Status);
        Assert.Equal(200, (await client.GetAsync("/api/accounts/me")).Status);
        Assert.NotNull(await other.VerifyAsync(client.Key, null, SiloFixture.Cancel));

        Assert.Equal(200, (await silo.SendAsync("POST", $"/admin/keys/{client.Key[..8]}/revoke")).Status);
        await UntilAsync(async () => await other.VerifyAsync(client.Key, null, SiloFixture.Cancel) is null);
        await changes.StopAsync(SiloFixture.Cancel);
    }

    [Fact]
    public async Task Disabling_LeavesCallsToTheirEnd_UnlessItIsToldToEndThem()
    {
        using var client = await silo.CreateAccountAsync();
        var (waiting, joined) = (await CreateCallAsync(client), await CreateCallAsync(client));
        await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(joined.CallId).JoinAsync(joined.Token, null);
        var path = $"/admin/accounts/{client.Account.AccountId}/disable";
        Assert.Equal(2, (await silo.SendAsync("POST", path)).Json.GetProperty("account").GetProperty("activeCalls").GetInt32());

        var ended = (await silo.SendAsync("POST", path, """{"endCalls":true}""")).Json;
        Assert.Equal((2, 0), (ended.GetProperty("endedCalls").GetInt32(), ended.GetProperty("account").GetProperty("activeCalls").GetInt32()));
        await silo.SendAsync("POST", path.Replace("disable", "enable", StringComparison.Ordinal));
        Assert.Equal("unjoined", Text((await client.GetAsync("/api/calls/" + waiting.CallId)).Json, "endReason"));
        Assert.Equal("hangup", Text((await client.GetAsync("/api/calls/" + joined.CallId)).Json, "endReason"));
    }

    [Fact]
    public async Task TheUsage_IsWhatEachAccountSeesOfItsOwn()
    {
        var calls = new RandomCalls(Random.Shared.Next(), DateTimeOffset.UtcNow);
        using var client = await silo.CreateAccountAsync("=Acme, Inc.");
        var id = client.Account.AccountId;
        await calls.InsertAsync(silo.Services.GetRequiredService<NpgsqlDataSource>(), id.ToString());
        var own = (await client.GetAsync("/api/accounts/me/usage/calls")).Json.GetProperty("daily");

        var csv = (await silo.GetTextAsync($"/admin/usage?from=2000-01-01&account={id}")).Split("\r\n");
        Assert.Equal("account_id,account_name,date,calls,joined_calls,failed_calls,duration_seconds,billed_minutes", csv[0]);
        Assert.Equal("", csv[^1]);
        Assert.Equal(
            own.EnumerateArray().Select(day => $"{id},\"'=Acme, Inc.\",{Text(day, "date")},{day.GetProperty("totalCount")},{day.GetProperty("joinedCount")},{day.GetProperty("errorCount")},{day.GetProperty("billedMinutes")}"),
            csv[1..^1].Select(line => string.Join(',', line.Split(',') is var cells ? [.. cells[..7], cells[8]] : cells)));

        var lines = (await silo.GetTextAsync($"/admin/usage?from=2000-01-01&account={id}&by=call&format=jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var exported = lines.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(call => Text(call, "callId")!);
        Assert.Equal(calls.All.Count, exported.Count);
        Assert.All(calls.All, call =>
        {
            var row = exported[call.CallId];
            Assert.Equal((call.Deleted is not null, call.BilledUnits / 10.0, call.EndReason), (row.GetProperty("deleted").GetBoolean(), row.GetProperty("billedMinutes").GetDouble(), Text(row, "endReason")));
        });
        Assert.DoesNotContain(id.ToString(), await silo.GetTextAsync($"/admin/usage?from=2000-01-01&account={Guid.NewGuid()}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTheAdministratorDoes_IsLogged_WithoutSecrets()
    {
        using var client = await silo.CreateAccountAsync();
        var id = client.Account.AccountId;
        var key = (await silo.SendAsync("POST", $"/admin/accounts/{id}/keys", """{"name":"n"}""")).Json;
        await silo.SendAsync("POST", $"/admin/accounts/{id}/disable");
        await silo.SendAsync("GET", "/admin/accounts", header: ("Authorization", "Bearer guessed"));
        Assert.Contains(silo.Logs.Lines, line => line.EndsWith($"creation of account {id} with plan self_hosted and key {client.Key[..8]}", StringComparison.Ordinal));
        Assert.Contains(silo.Logs.Lines, line => line.EndsWith($"creation of a key of account {id} {Text(key, "prefix")}", StringComparison.Ordinal));
        Assert.Contains(silo.Logs.Lines, line => line.Contains($"disabling of account {id}", StringComparison.Ordinal));
        Assert.Contains(silo.Logs.Lines, line => line.EndsWith("tried to administer with a wrong token", StringComparison.Ordinal));
        foreach (var secret in (string[])[AdminSilo.Token, client.Key[9..], Text(key, "secret")![9..], "guessed"])
            Assert.DoesNotContain(silo.Logs.Lines, line => line.Contains(secret, StringComparison.Ordinal));
    }

    private static async Task<(string CallId, string Token)> CreateCallAsync(ApiClient client)
    {
        var call = (await client.PostAsync("/api/calls", "{}")).Json;
        return (Text(call, "callId")!, Text(call, "joinUrl")!.Split('/')[^1]);
    }

    private static async Task<bool> IsDisabledAsync(ApiKeyVerifier verifier, string key)
    {
        try
        {
            await verifier.VerifyAsync(key, null, SiloFixture.Cancel);
            return false;
        }
        catch (PlatformException refused) when (refused.Code == ErrorCode.AccountDisabled)
        {
            return true;
        }
    }

    private async Task<long> ScalarAsync(string sql)
    {
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(SiloFixture.Cancel))!;
    }

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(15));
        while (!await isTrue()) await Task.Delay(10, deadline.Token);
    }

    private static string? Text(JsonElement json, string field) => json.GetProperty(field).GetString();
}
