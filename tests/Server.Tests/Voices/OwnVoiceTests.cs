using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>Voices that accounts make by definition: how they are kept, listed, changed and used.</summary>
public sealed class OwnVoiceTests(SiloFixture silo)
{
    private const string Secret = "hush-voice-7d1c";
    private const string NoKey = "The account has no API key for ElevenLabs. Set one with PATCH /api/accounts/me/tts_api_keys.";

    [Theory]
    [InlineData("""{"elevenLabs":{"voiceId":"v1","model":"eleven_turbo_v2_5","speed":1.1}}""", "\"eleven_labs\"")]
    [InlineData("""{"cartesia":{"voiceId":"v1","generationConfig":{"speed":1.2}}}""", "\"cartesia\"")]
    [InlineData("""{"lmnt":{"voiceId":"lily","model":"blizzard"}}""", "\"lmnt\"")]
    [InlineData("""{"google":{"voiceId":"en-US-Chirp3-HD-Charon","speakingRate":1.1}}""", "\"google\"")]
    [InlineData("""{"inworld":{"voiceId":"Dennis","temperature":0.7}}""", "\"inworld\"")]
    [InlineData("""{"respeecher":{"voiceId":"samantha","seed":7}}""", "\"respeecher\"")]
    [InlineData("""{"generic":{"url":"https://tts.example/speak","body":{"say":"{text}"},"responseSampleRate":24000}}""", "null")]
    public async Task AVoice_IsMadeByItsDefinition_AndReadBack(string definition, string provider)
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/voices", $$"""{"name":"Anna","description":"Warm.","primaryLanguage":"pt-BR","definition":{{definition}}}""");
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("Voice", made.Json);
        Assert.Equal(definition, made.Json.GetProperty("definition").GetRawText());
        Assert.Equal((provider, "private", "VOICE_BILLING_STYLE_EXTERNAL", "🇧🇷 Portuguese (Brazil)"), (
            made.Json.GetProperty("provider").GetRawText(), Text(made, "ownership"), Text(made, "billingStyle"), Text(made, "languageLabel")));
        Assert.Equal((200, made.Text), Of(await client.GetAsync(PathOf(made))));
        Assert.EndsWith(PathOf(made) + "/preview", Text(made, "previewUrl"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AVoice_IsChangedByPartOrWhole_AndDeleted()
    {
        using var client = await silo.CreateClientAsync();
        var made = await CreateAsync(client, "Anna");
        var patched = await client.PatchAsync(PathOf(made), """{"name":"Berta","description":"Calm."}""");
        Assert.Equal((200, "Berta", "Calm.", made.Json.GetProperty("definition").GetRawText()),
            (patched.Status, Text(patched, "name"), Text(patched, "description"), patched.Json.GetProperty("definition").GetRawText()));

        // What was read can be sent back; absent fields that are optional stay.
        Assert.Equal((200, patched.Text), Of(await client.PutAsync(PathOf(made), patched.Text)));
        var put = await client.PutAsync(PathOf(made), """{"name":"Clara","definition":{"lmnt":{"voiceId":"lily"}}}""");
        Assert.Equal((200, "Clara", "Calm.", "lmnt"), (put.Status, Text(put, "name"), Text(put, "description"), Text(put, "provider")));
        Assert.Equal((200, put.Text), Of(await client.PatchAsync(PathOf(made), "{}")));
        Assert.Equal((400, """{"definition":["This field is required."]}"""), Of(await client.PutAsync(PathOf(made), """{"name":"Clara"}""")));

        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
        foreach (var reply in (ApiReply[])[await client.GetAsync(PathOf(made)), await client.DeleteAsync(PathOf(made)), await client.PatchAsync(PathOf(made), "{}")])
            Assert.Equal((404, """{"detail":"No Voice matches the given query.","code":"not_found"}"""), Of(reply));
    }

    [Fact]
    public async Task OthersVoices_AreNotThere_AndTheServersCannotBeChanged()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var made = await CreateAsync(client, "Quirin");
        foreach (var reply in (ApiReply[])[
            await stranger.GetAsync(PathOf(made)), await stranger.PatchAsync(PathOf(made), "{}"), await stranger.PutAsync(PathOf(made), made.Text),
            await stranger.DeleteAsync(PathOf(made)), await stranger.GetAsync(PathOf(made) + "/preview")])
            Assert.Equal(404, reply.Status);
        Assert.Equal(0, Total(await stranger.GetAsync("/api/voices?ownership=private")));
        Assert.Equal(0, Total(await stranger.GetAsync("/api/voices?search=quirin")));
        foreach (var name in (string[])["Quirin", Text(made, "voiceId")])
            Assert.Equal((400, $$"""{"voice":["Voice '{{name}}' does not exist."]}"""), Of(await stranger.PostAsync("/api/calls", new { voice = name })));

        var mark = (await client.GetAsync("/api/voices?search=mark")).Json.GetProperty("results")[0];
        var its = $"/api/voices/{mark.GetProperty("voiceId").GetString()}";
        foreach (var reply in (ApiReply[])[await client.PatchAsync(its, """{"name":"x"}"""), await client.PutAsync(its, made.Text), await client.DeleteAsync(its)])
            Assert.Equal((403, "read_only"), (reply.Status, Text(reply, "code")));
    }

    [Fact]
    public async Task Names_AreUniqueWithinAnAccount_WhateverTheirCase()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var made = await CreateAsync(client, "Zoë");
        var second = await CreateAsync(client, "Other");
        const string taken = """{"name":["Another voice of your account has this name."]}""";
        Assert.Equal((400, taken), Of(await client.PostAsync("/api/voices", """{"name":"ZOË","definition":{"lmnt":{"voiceId":"x"}}}""")));
        Assert.Equal((400, taken), Of(await client.PatchAsync(PathOf(second), """{"name":"zoë"}""")));
        Assert.Equal(200, (await client.PatchAsync(PathOf(made), """{"name":"zoë"}""")).Status);
        await CreateAsync(stranger, "Zoë");
    }

    [Theory]
    [InlineData("""{"definition":{"lmnt":{"voiceId":"x"}}}""", """{"name":["This field is required."]}""")]
    [InlineData("""{"name":"x"}""", """{"definition":["This field is required."]}""")]
    [InlineData("""{"name":"","definition":{"lmnt":{"voiceId":"x"}}}""", """{"name":["Ensure this field has between 1 and 40 characters."]}""")]
    [InlineData("""{"name":"x","primaryLanguage":"german?","definition":{"lmnt":{"voiceId":"x"}}}""", """{"primaryLanguage":["Enter a BCP 47 language code, such as \"en\" or \"pt-BR\"."]}""")]
    [InlineData("""{"name":"x","definition":{"lmnt":{"model":"blizzard"}}}""", """{"definition":{"lmnt":{"voiceId":["This field is required."]}}}""")]
    [InlineData("""{"name":"x","definition":{"lmnt":{"voiceId":"x","speed":9}}}""", """{"definition":{"lmnt":{"speed":["Must be between 0.25 and 2."]}}}""")]
    [InlineData("""{"name":"x","definition":{"generic":{"url":"http://127.0.0.1/","body":{"t":"{text}"}}}}""", "definition")]
    [InlineData("""{"name":"x","definition":{"generic":{"url":"https://{{host}}/","body":{"t":"{text}"}}}}""", """{"definition":{"generic":{"url":["Must be an absolute http or https URL."]}}}""")]
    [InlineData("[]", """{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}""")]
    public async Task WrongVoices_400(string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/voices", body);
        Assert.Equal(400, reply.Status);
        Assert.Contains(problems, reply.Text, StringComparison.Ordinal);
        Assert.Equal(0, Total(await client.GetAsync("/api/voices?ownership=private")));
        Assert.Equal(400, (await client.PostAsync("/api/voice_preview", body)).Status);
    }

    [Fact]
    public async Task Lists_MergeOwnVoicesWithTheServers_InAnOrderThatChangesDoNotDisturb()
    {
        using var client = await silo.CreateClientAsync();
        foreach (var name in (string[])["aaa", "Mark", "zzz"]) await CreateAsync(client, name);
        var all = Names(await client.GetAsync("/api/voices?pageSize=100"));
        Assert.Equal(all.Order(StringComparer.OrdinalIgnoreCase), all);
        Assert.Equal(2, all.Count(name => name == "Mark"));     // the account's and the server's

        // A voice that comes before the place, and one that goes there, neither repeat nor hide others.
        var first = await client.GetAsync("/api/voices?pageSize=5");
        await CreateAsync(client, "a0");
        var rest = new List<string>();
        for (var next = Text(first, "next"); next is not null;)
        {
            var page = await client.GetAsync(next);
            await OpenApiContract.AssertMatchesAsync("PaginatedVoiceList", page.Json);
            rest.AddRange(Names(page));
            next = page.Json.GetProperty("next").GetString();
        }
        Assert.Equal(all, Names(first).Concat(rest));

        Assert.Equal(["a0", "aaa", "Mark", "zzz"], Names(await client.GetAsync("/api/voices?ownership=private")));
        Assert.Equal(["a0", "aaa", "Mark", "zzz"], Names(await client.GetAsync("/api/voices?billingStyle=VOICE_BILLING_STYLE_EXTERNAL")));
        Assert.Equal(["a0", "aaa", "Mark", "zzz"], Names(await client.GetAsync("/api/voices?provider=lmnt&provider=eleven_labs")));
        Assert.Equal(["a0", "aaa", "Mark", "zzz"], Names(await client.GetAsync("/api/voices?provider=lmnt,eleven_labs")));
        Assert.Equal(["aaa"], Names(await client.GetAsync("/api/voices?search=AAA&provider=eleven_labs")));
        Assert.DoesNotContain("aaa", Names(await client.GetAsync("/api/voices?ownership=public&pageSize=100")));
    }

    [Fact]
    public async Task ACall_ThatNamesAVoice_NeedsItsProvidersKey()
    {
        using var client = await silo.CreateClientAsync();
        var made = await CreateAsync(client, "Anna");
        Assert.Equal((400, $$"""{"voice":["Voice 'Anna' cannot speak. {{NoKey}}"]}"""), Of(await client.PostAsync("/api/calls", """{"voice":"ANNA"}""")));
        Assert.Equal((400, $$$"""{"externalVoice":{"elevenLabs":["{{{NoKey}}}"]}}"""), Of(await client.PostAsync("/api/calls", """{"externalVoice":{"elevenLabs":{"voiceId":"v"}}}""")));
        Assert.Equal((400, $$"""{"detail":"{{NoKey}}","code":"voice_failed"}"""), Of(await client.GetAsync(PathOf(made) + "/preview")));
        var agent = await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{"voice":"Anna"}}""");
        Assert.Equal((400, $$$"""{"callTemplate":{"voice":["Voice 'Anna' cannot speak. {{{NoKey}}}"]}}"""), Of(agent));

        await client.PatchAsync("/api/accounts/me/tts_api_keys", """{"elevenLabs":"sk_0123456789"}""");
        foreach (var body in (string[])["""{"voice":"anna"}""", $$"""{"voice":"{{Text(made, "voiceId")}}"}""", """{"externalVoice":{"elevenLabs":{"voiceId":"v"}}}"""])
            Assert.Equal(201, (await client.PostAsync("/api/calls", body)).Status);
        Assert.Equal(2, Total(await client.GetAsync($"/api/calls?voiceId={Text(made, "voiceId")}")));   // by its id and by its name
        agent = await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{"voice":"Anna"}}""");
        Assert.Equal(201, agent.Status);

        await client.DeleteAsync(PathOf(made));
        var refused = await client.PostAsync($"/api/agents/{Text(agent, "agentId")}/calls", "{}");
        Assert.Equal((400, """{"voice":["Voice 'Anna' does not exist."]}"""), Of(refused));
    }

    [Theory]
    [InlineData("""{"elevenLabs":{"speed":0.9,"stability":0.4}}""", 201, "")]
    [InlineData("""{"elevenLabs":{"voiceId":"v","speed":0.9}}""", 201, "")]
    [InlineData("""{"elevenLabs":{"voiceId":"other"}}""", 400, """{"voiceOverrides":{"elevenLabs":{"voiceId":["May not be overridden."]}}}""")]
    [InlineData("""{"elevenLabs":{"model":"eleven_v3"}}""", 400, """{"voiceOverrides":{"elevenLabs":{"model":["May not be overridden."]}}}""")]
    [InlineData("""{"lmnt":{"speed":0.9}}""", 400, """{"voiceOverrides":["The provider must be the voice's, which is 'elevenLabs'."]}""")]
    public async Task Overrides_AreForTheVoicesProvider_AndForHowItSpeaksOnly(string overrides, int status, string problems)
    {
        using var client = await silo.CreateClientAsync();
        await CreateAsync(client, "Anna");
        await client.PatchAsync("/api/accounts/me/tts_api_keys", """{"elevenLabs":"sk_0123456789"}""");
        var reply = await client.PostAsync("/api/calls", $$"""{"voice":"Anna","voiceOverrides":{{overrides}}}""");
        Assert.Equal(status, reply.Status);
        if (problems.Length > 0) Assert.Equal(problems, reply.Text);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("voiceId")]
    public async Task OverridesOfTheServersVoices_AreRefused_NotIgnored(string by)
    {
        using var client = await silo.CreateClientAsync();
        var voice = (await client.GetAsync("/api/voices?search=mark")).Json.GetProperty("results")[0].GetProperty(by).GetString();
        var fields = $$$$"""{"voice":"{{{{voice}}}}","voiceOverrides":{"elevenLabs":{"speed":0.9}}}""";
        const string problem = """{"voiceOverrides":["The voice is one of the server's, of which nothing may be overridden."]}""";
        Assert.Equal((400, problem), Of(await client.PostAsync("/api/calls", fields)));
        Assert.Equal((400, $$$"""{"callTemplate":{{{problem}}}}"""), Of(await client.PostAsync("/api/agents", $$"""{"callTemplate":{{fields}} }""")));
        var agent = Text(await client.PostAsync("/api/agents", """{"callTemplate":{}}"""), "agentId");
        Assert.Equal((400, problem), Of(await client.PostAsync($"/api/agents/{agent}/calls", fields)));
    }

    [Theory]
    [InlineData("""{"voice":"Mark"}""", "null")]
    [InlineData("""{"voice":"Otto"}""", "null")]
    [InlineData("""{"voice":null}""", "null")]
    [InlineData("""{"voice":"Otto","voiceOverrides":{"lmnt":{"speed":1.1}}}""", """{"lmnt":{"speed":1.1}}""")]
    [InlineData("""{"voice":"Anna","temperature":0.5}""", """{"elevenLabs":{"speed":0.9}}""")]
    [InlineData("""{"temperature":0.5}""", """{"elevenLabs":{"speed":0.9}}""")]
    public async Task AnAgentThatTakesAnotherVoice_LosesTheOverridesOfItsLast(string change, string overrides)
    {
        using var client = await silo.CreateClientAsync();
        await CreateAsync(client, "Anna");
        await client.PostAsync("/api/voices", """{"name":"Otto","definition":{"lmnt":{"voiceId":"v"}}}""");
        await client.PatchAsync("/api/accounts/me/tts_api_keys", """{"elevenLabs":"sk_0123456789","lmnt":"key"}""");
        var agent = await client.PostAsync("/api/agents", """{"callTemplate":{"voice":"Anna","voiceOverrides":{"elevenLabs":{"speed":0.9}}}}""");
        var changed = await client.PatchAsync($"/api/agents/{Text(agent, "agentId")}", $$"""{"callTemplate":{{change}} }""");
        Assert.True(changed.Status == 200, changed.Text);
        Assert.Equal(overrides, changed.Json.GetProperty("callTemplate").GetProperty("voiceOverrides").GetRawText());
    }

    [Fact]
    public async Task AnAccount_HasRoomForSoManyVoices_WhoeverIsFirst()
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal(new OwnVoiceOptions().MaxPerAccount, (await client.GetAsync("/api/accounts/me")).Json.GetProperty("allowedVoices").GetInt32());
        var store = new VoiceStore(Database, silo.Services.GetRequiredService<SealedJson>(), Options.Create(new OwnVoiceOptions { MaxPerAccount = 3, MaxDefinitionBytes = 2_048 }));
        var account = Guid.NewGuid().ToString();
        var tries = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => TryAsync(Voice($"v{i}"))));
        Assert.Equal(3, tries.Count(problem => problem is null));
        Assert.All(tries.OfType<string>(), problem => Assert.Equal("""{"non_field_errors":["An account may have 3 voices of its own. Delete one that is no longer used."]}""", problem));
        Assert.Equal("""{"definition":["A definition may have 2048 bytes of JSON."]}""", await TryAsync(Voice(new string('x', 2_048))));

        async Task<string?> TryAsync(OwnVoice voice)
        {
            try
            {
                await store.CreateAsync(account, voice, SiloFixture.Cancel);
                return null;
            }
            catch (InvalidInputException refused)
            {
                return refused.Errors.ToJson().ToJsonString();
            }
        }

        static OwnVoice Voice(string id) => new()
        {
            VoiceId = Guid.NewGuid(), Name = id[..2], Definition = ExternalVoices.Of(TtsProvider.Lmnt, new() { ["voiceId"] = id }), Created = DateTimeOffset.UnixEpoch,
        };
    }

    [Fact]
    public async Task ACloneThatNobodyHasAKeyFor_IsRefused_AndNothingIsKept()
    {
        using var client = await silo.CreateClientAsync();
        var refused = await VoiceCloneTests.CloneAsync(client, VoiceCloneTests.Wav(seconds: 4), ("name", "My voice"));
        Assert.Equal((400, """{"non_field_errors":["Cloning a voice needs an API key for ElevenLabs, Cartesia or LMNT. Set one with PATCH /api/accounts/me/tts_api_keys."]}"""), Of(refused));
        Assert.Equal(0, Total(await client.GetAsync("/api/voices?ownership=private")));
        Assert.False(Directory.Exists(Path.Combine(silo.Services.GetRequiredService<IOptions<BlobStoreOptions>>().Value.Path, "voices")));
    }

    [Fact]
    public async Task ADefinitionsSecrets_AreSealedInTheDatabase()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/voices",
            """{"name":"Anna","definition":{"generic":{"url":"https://tts.example/","headers":{"Authorization":"SECRET"},"body":{"t":"{text}"}}}}""".Replace("SECRET", Secret, StringComparison.Ordinal));
        Assert.Equal(201, made.Status);
        await using var command = Database.CreateCommand($"select count(*) from voices where definition::text like '%{Secret}%'");
        Assert.Equal(0L, await command.ExecuteScalarAsync(SiloFixture.Cancel));
        Assert.Equal(Secret, made.Json.GetProperty("definition").GetProperty("generic").GetProperty("headers").GetProperty("Authorization").GetString());
    }

    private NpgsqlDataSource Database => silo.Services.GetRequiredService<NpgsqlDataSource>();

    private static async Task<ApiReply> CreateAsync(ApiClient client, string name)
    {
        var made = await client.PostAsync("/api/voices", JsonSerializer.Serialize(new { name, definition = new { elevenLabs = new { voiceId = "v" } } }));
        Assert.Equal(201, made.Status);
        return made;
    }

    private static string PathOf(ApiReply voice) => $"/api/voices/{Text(voice, "voiceId")}";

    private static List<string> Names(ApiReply list) => [.. list.Json.GetProperty("results").EnumerateArray().Select(v => v.GetProperty("name").GetString()!)];

    private static int Total(ApiReply list) => list.Json.GetProperty("total").GetInt32();

    private static string Text(ApiReply reply, string field) => reply.Json.GetProperty(field).GetString()!;

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
