using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Cli;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Administration;

/// <summary><c>vg account</c>, <c>vg key</c> and <c>vg usage</c> as typed, against a real server.</summary>
[Collection(typeof(AdminCollection))]
public sealed class AdminCommandTests(AdminSilo silo, SiloFixture plain)
{
    private readonly string _name = "Command " + Guid.NewGuid();

    [Fact]
    public async Task AnAccountsLife_FromTheTerminal()
    {
        var made = await JsonAsync("account", "create", "--name", _name, "--plan", "pro", "--concurrent-calls", "3", "--retention-days", "30");
        var (id, key) = (made["account"]!["accountId"]!.GetValue<string>(), made["apiKey"]!["secret"]!.GetValue<string>());
        using var client = new ApiClient(silo.Address, new() { AccountId = Guid.Parse(id), Name = _name, Plan = "pro" }, key);
        Assert.Equal(200, (await client.GetAsync("/api/accounts/me")).Status);

        var list = await RunAsync("account", "list", "--search", _name);
        Assert.StartsWith("ACCOUNT ", list, StringComparison.Ordinal);
        Assert.Matches($"{id}  {_name}  pro   enabled  1     0       0       3     0      30 days  20", list);
        Assert.Contains("forever", await FailAsync(2, "account", "update", id, "--retention-days", "-3"), StringComparison.Ordinal);
        Assert.Contains("or 'plan'", await FailAsync(2, "account", "update", id, "--concurrent-calls", "few"), StringComparison.Ordinal);
        Assert.Contains("  plan  ", await RunAsync("account", "update", id, "--concurrent-calls", "plan"), StringComparison.Ordinal);
        Assert.Contains("for ever", await RunAsync("account", "update", id, "--retention-days", "forever"), StringComparison.Ordinal);
        Assert.Contains("default", await RunAsync("account", "update", id, "--retention-days", "default"), StringComparison.Ordinal);

        Assert.Contains("  disabled  ", await RunAsync("account", "disable", id), StringComparison.Ordinal);
        Assert.Equal(403, (await client.GetAsync("/api/accounts/me")).Status);
        Assert.Contains("0 calls were told to end.", await RunAsync("account", "disable", id, "--end-calls"), StringComparison.Ordinal);
        Assert.Contains("  enabled  ", await RunAsync("account", "enable", id), StringComparison.Ordinal);
        Assert.Equal(200, (await client.GetAsync("/api/accounts/me")).Status);
        Assert.Equal(id, (await JsonAsync("account", "show", id))["accountId"]!.GetValue<string>());
    }

    [Fact]
    public async Task Keys_AreMadeListedAndRevoked()
    {
        var id = (await JsonAsync("account", "create", "--name", _name))["account"]!["accountId"]!.GetValue<string>();
        var shown = await RunAsync("key", "create", id, "--name", "theirs", "--expires", "90d");
        var key = shown.Split("API key")[1].Trim().Split('\n')[0].Trim();
        Assert.Contains("The key is shown only now", shown, StringComparison.Ordinal);
        var keys = (await JsonAsync("key", "list", id)).AsArray();
        Assert.Equal(["theirs", "first key"], keys.Select(row => row!["name"]!.GetValue<string>()));
        Assert.InRange(keys[0]!["expiryDate"]!.GetValue<DateTimeOffset>(), DateTimeOffset.UtcNow.AddDays(89), DateTimeOffset.UtcNow.AddDays(91));
        foreach (var row in keys)       // also the last one: the administrator makes another
            Assert.Equal($"Key {row!["prefix"]} of account {id} is revoked.\n", await RunAsync("key", "revoke", row["prefix"]!.GetValue<string>()));
        Assert.Equal(2, (await RunAsync("key", "list", id)).Split("  revoked  ").Length - 1);
        using var client = new ApiClient(silo.Address, new() { AccountId = Guid.Parse(id), Name = _name, Plan = "" }, key);
        Assert.Equal(403, (await client.GetAsync("/api/accounts/me")).Status);
    }

    [Fact]
    public async Task Usage_GoesToAFileOrToTheTerminal()
    {
        using var client = await silo.CreateAccountAsync();
        var call = (await client.PostAsync("/api/calls", "{}")).Json.GetProperty("callId").GetString()!;
        Assert.Equal(204, (await client.DeleteAsync("/api/calls/" + call)).Status);
        string[] account = ["--account", client.Account.AccountId.ToString()];
        Assert.Contains(",1,0,0,0,0\r\n", await RunAsync(["usage", "export", .. account]), StringComparison.Ordinal);
        var line = JsonDocument.Parse(await RunAsync(["usage", "export", "--by", "call", "--format", "jsonl", .. account])).RootElement;
        Assert.Equal((call, true), (line.GetProperty("callId").GetString(), line.GetProperty("deleted").GetBoolean()));

        var folder = Directory.CreateTempSubdirectory("voicegrains-test-").FullName;
        try
        {
            var file = Path.Combine(folder, "usage.csv");
            Assert.Equal("", await RunAsync(["usage", "export", "--output", file, .. account]));
            Assert.Equal(3, (await File.ReadAllTextAsync(file, SiloFixture.Cancel)).Split("\r\n").Length);
            await FailAsync(2, ["usage", "export", "--from", "yesterday", "--output", file, .. account]);
            Assert.Contains("cannot be written", await FailAsync(2, ["usage", "export", "--output", Path.Combine(folder, "no", "file"), .. account]), StringComparison.Ordinal);
            Assert.Equal([file], Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("is no account's id", "account", "show", "x")]
    [InlineData("No account has this id.", "account", "disable", "00000000-0000-0000-0000-000000000001")]
    [InlineData("No API key has this prefix.", "key", "revoke", "abcdefgh")]
    [InlineData("first eight letters", "key", "revoke", "abc")]
    [InlineData("Option '--name' is required.", "account", "create")]
    [InlineData("Nothing to change", "account", "update", "00000000-0000-0000-0000-000000000001")]
    [InlineData("lies in the past", "key", "create", "00000000-0000-0000-0000-000000000001", "--expires", "2001-01-01")]
    [InlineData("--expires must be a date", "key", "create", "00000000-0000-0000-0000-000000000001", "--expires", "soon")]
    [InlineData("refuses the request", "account", "create", "--name", "")]
    [InlineData("Unknown plan 'gold'. There are: free, one_minute, pro", "account", "create", "--name", "x", "--plan", "gold")]
    public async Task AMistake_IsSaidInWords(string words, params string[] args)
        => Assert.Contains(words, await FailAsync(2, args), StringComparison.Ordinal);

    [Fact]
    public async Task AServerThatRefuses_OrHasNoAdministration_IsExitCode3()
    {
        Assert.Contains("refuses the administrator's token", await RefusalAsync(silo.Address, "wrong"), StringComparison.Ordinal);
        Assert.Contains("has no administration", await RefusalAsync(plain.Address, AdminSilo.Token), StringComparison.Ordinal);

        static async Task<string> RefusalAsync(Uri server, string token)
        {
            var error = new StringWriter();
            Assert.Equal(3, await CommandLine.RunAsync(["account", "list", "--url", server.ToString(), "--admin-token", token], Stream.Null, error, SiloFixture.Cancel));
            return error.ToString();
        }
    }

    private async Task<string> RunAsync(params string[] args)
    {
        var (exitCode, output, error) = await silo.RunAsync(args);
        Assert.Equal((0, ""), (exitCode, error));
        return output;
    }

    private async Task<JsonNode> JsonAsync(params string[] args) => JsonNode.Parse(await RunAsync([.. args, "--json"]))!;

    private async Task<string> FailAsync(int exitCode, params string[] args)
    {
        var (code, output, error) = await silo.RunAsync(args);
        Assert.Equal((exitCode, ""), (code, output));
        return error;
    }
}
