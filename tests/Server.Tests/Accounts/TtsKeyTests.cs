using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Accounts;

/// <summary>Accounts' own keys for speech providers: set, removed, and never read again.</summary>
public sealed class TtsKeyTests(SiloFixture silo)
{
    private const string Path = "/api/accounts/me/tts_api_keys";
    private const string Eleven = "sk_hush0123456789abcdef0123456789abcdef";
    private const string Google = """{"type":"service_account","private_key_id":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567","private_key":"hush-google","client_email":"a@b.example"}""";

    [Fact]
    public async Task Keys_AreShownByTheirPrefix_ChangedOneByOne_AndRemovedByNull()
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal((200, "{}"), Of(await client.GetAsync(Path)));

        var set = await client.PatchAsync(Path, new { elevenLabs = Eleven, google = Google, lmnt = "abc" });
        Assert.Equal((200, """{"elevenLabs":{"prefix":"sk_hush0"},"lmnt":{"prefix":""},"google":{"prefix":"0a1b2c3d"}}"""), Of(set));
        await OpenApiContract.AssertMatchesAsync("AccountTtsKeys", set.Json);

        var changed = await client.PatchAsync(Path, """{"elevenLabs":"another-key-of-the-account","lmnt":null,"inworld":null}""");
        Assert.Equal((200, """{"elevenLabs":{"prefix":"anothe"},"google":{"prefix":"0a1b2c3d"}}"""), Of(changed));
        Assert.Equal(Of(changed), Of(await client.PatchAsync(Path, "{}")));
        Assert.Equal(Of(changed), Of(await client.GetAsync(Path)));
    }

    [Theory]
    [InlineData("""{"elevenLabs":""}""", """{"elevenLabs":["Ensure this field has between 1 and 500 characters."]}""")]
    [InlineData("""{"cartesia":"two words"}""", """{"cartesia":["Must be printable ASCII without spaces, as the provider shows it."]}""")]
    [InlineData("""{"lmnt":"line\r\nX: y"}""", """{"lmnt":["Must be printable ASCII without spaces, as the provider shows it."]}""")]
    [InlineData("""{"lmnt":7}""", """{"lmnt":["Not a valid string."]}""")]
    [InlineData("""{"openai":"x"}""", """{"openai":["Unknown field."]}""")]
    [InlineData("""{"google":"AIza"}""", """{"google":["Must be the JSON key of a Google service account."]}""")]
    [InlineData("""{"google":"{}"}""", """{"google":["Must be the JSON key of a Google service account: 'private_key' is missing."]}""")]
    public async Task AKeyThatCannotBeOne_IsRefused_AndNothingIsChanged(string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal((400, problems), Of(await client.PatchAsync(Path, body.Insert(1, "\"respeecher\":\"good-key-of-16chr\","))));
        Assert.Equal((200, "{}"), Of(await client.GetAsync(Path)));
    }

    [Fact]
    public async Task Keys_AreTheAccountsOwn_AndSealedInTheDatabase()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        await client.PatchAsync(Path, new { elevenLabs = Eleven });
        Assert.Equal((200, "{}"), Of(await stranger.GetAsync(Path)));
        Assert.Null(await Store.FindAsync(stranger.Account.AccountId.ToString(), TtsProvider.ElevenLabs, SiloFixture.Cancel));
        Assert.Equal(Eleven, await Store.FindAsync(client.Account.AccountId.ToString(), TtsProvider.ElevenLabs, SiloFixture.Cancel));

        await using (var hidden = Database.CreateCommand("select sealed like 'box1:%' and position('hush' in sealed) = 0 from provider_keys where account_id = $1"))
        {
            hidden.Parameters.Add(new() { Value = client.Account.AccountId.ToString() });
            Assert.Equal(true, await hidden.ExecuteScalarAsync(SiloFixture.Cancel));
        }

        // A box that somebody moves to another account does not open there.
        await using var move = Database.CreateCommand("update provider_keys set account_id = $2 where account_id = $1");
        move.Parameters.Add(new() { Value = client.Account.AccountId.ToString() });
        move.Parameters.Add(new() { Value = "thief" });
        await move.ExecuteNonQueryAsync(SiloFixture.Cancel);
        Assert.Null(await Store.FindAsync("thief", TtsProvider.ElevenLabs, SiloFixture.Cancel));
    }

    [Fact]
    public async Task AChangedKey_HoldsHereAtOnce_AndInOtherProcessesWithinSeconds()
    {
        using var client = await silo.CreateClientAsync();
        var account = client.Account.AccountId.ToString();
        var clock = new ManualClock();
        using var elsewhere = new ProviderKeyStore(Database, silo.Services.GetRequiredService<SecretKey>(), clock, NullLogger<ProviderKeyStore>.Instance);
        await client.PatchAsync(Path, new { lmnt = "first-key" });
        Assert.Equal("first-key", await elsewhere.FindAsync(account, TtsProvider.Lmnt, SiloFixture.Cancel));
        Assert.Equal("first-key", await Store.FindAsync(account, TtsProvider.Lmnt, SiloFixture.Cancel));
        await client.PatchAsync(Path, new { lmnt = "second-key" });
        Assert.Equal("second-key", await Store.FindAsync(account, TtsProvider.Lmnt, SiloFixture.Cancel));
        clock.Advance(ProviderKeyStore.CacheTime);
        Assert.Equal("second-key", await elsewhere.FindAsync(account, TtsProvider.Lmnt, SiloFixture.Cancel));
    }

    private NpgsqlDataSource Database => silo.Services.GetRequiredService<NpgsqlDataSource>();

    private ProviderKeyStore Store => silo.Services.GetRequiredService<ProviderKeyStore>();

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
