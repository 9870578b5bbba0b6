using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Media;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Voices;

/// <summary>Voices that are cloned from an uploaded sample, at providers that speak their public APIs over a real socket.</summary>
public sealed class VoiceCloneTests(VoiceSilo silo) : IClassFixture<VoiceSilo>
{
    private static readonly byte[] Sample = Wav(seconds: 4);

    [Theory]
    [InlineData("elevenLabs", "eleven_labs", "/eleven/v1/voices/add", "files", """{"name":"My voice","description":"Recorded today","labels":"{\"language\":\"pt\"}"}""")]
    [InlineData("cartesia", "cartesia", "/cartesia/voices/clone", "clip", """{"name":"My voice","description":"Recorded today","language":"pt"}""")]
    [InlineData("lmnt", "lmnt", "/lmnt/v1/ai/voice", "files", """{"name":"My voice","description":"Recorded today","enhance":"false"}""")]
    public async Task ASample_IsStoredAndHandedToTheProvider_AndGoneWithTheVoice(string field, string provider, string path, string fileField, string fields)
    {
        using var client = await silo.CreateClientAsync();
        await SetKeyAsync(client, field, CloneProviders.Works);
        var made = await CloneAsync(client, Sample, ("name", "My voice"), ("description", "Recorded today"), ("language", "pt-BR"));
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("Voice", made.Json);
        Assert.Equal((provider, "private", "VOICE_BILLING_STYLE_EXTERNAL", "pt-BR"), (Text(made, "provider"), Text(made, "ownership"), Text(made, "billingStyle"), Text(made, "primaryLanguage")));
        var cloneId = made.Json.GetProperty("definition").GetProperty(field).GetProperty("voiceId").GetString()!;
        Assert.True(silo.Providers.Clones.ContainsKey(cloneId));

        var asked = silo.Providers.Requests.Last(r => r.Path == path);
        Assert.Equal((fileField, "sample.wav", "audio/wav", fields), (asked.FileField, asked.FileName, asked.ContentType, System.Text.Json.JsonSerializer.Serialize(asked.Fields, GrainInterfaces.WireJson.Options)));
        Assert.Equal(Sample, asked.File);
        Assert.Equal(field == "cartesia" ? "2025-04-16" : null, asked.CartesiaVersion);
        Assert.Equal(Sample, await BlobAsync(made));

        // How it speaks may change, which clone it is may not.
        var changed = await client.PatchAsync(PathOf(made), """{"definition":{"FIELD":{"voiceId":"CLONE","speed":1}}}""".Replace("FIELD", field, StringComparison.Ordinal).Replace("CLONE", cloneId, StringComparison.Ordinal));
        Assert.Equal(200, changed.Status);
        var other = await client.PatchAsync(PathOf(made), """{"definition":{"lmnt":{"voiceId":"other"}}}""");
        Assert.Equal((400, """{"definition":["The voice was cloned: its provider and 'voiceId' stay. Create another voice instead."]}"""), Of(other));

        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
        Assert.False(silo.Providers.Clones.ContainsKey(cloneId));
        Assert.Null(await BlobAsync(made));
    }

    [Fact]
    public async Task WithoutAnAccountsKey_TheServersMakesTheClone_AndSpeaksIt()
    {
        using var client = await silo.CreateClientAsync();
        var made = await CloneAsync(client, Sample, ("name", "Ours"));
        Assert.Equal((201, "lmnt", "VOICE_BILLING_STYLE_INCLUDED", "en"), (made.Status, Text(made, "provider"), Text(made, "billingStyle"), Text(made, "primaryLanguage")));
        Assert.StartsWith("Cloned from a recording on ", Text(made, "description"), StringComparison.Ordinal);
        Assert.Equal(201, (await client.PostAsync("/api/calls", """{"voice":"ours"}""")).Status);
        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
        Assert.DoesNotContain(made.Json.GetProperty("definition").GetProperty("lmnt").GetProperty("voiceId").GetString()!, silo.Providers.Clones.Keys);
    }

    [Theory]
    [InlineData(CloneProviders.Quota, 400, """{"detail":"ElevenLabs did not make the voice (401): You have reached your maximum amount of custom voices (10 / 10) with ***.","code":"voice_clone_refused"}""")]
    [InlineData("a-wrong-key", 400, """{"detail":"ElevenLabs did not make the voice (401): Invalid API key","code":"voice_clone_refused"}""")]
    [InlineData(CloneProviders.Broken, 502, """{"detail":"ElevenLabs failed (503): upstream connect error","code":"voice_clone_failed"}""")]
    [InlineData(CloneProviders.Odd, 502, """{"detail":"ElevenLabs answered without a voice.","code":"voice_clone_failed"}""")]
    public async Task WhatTheProviderRefuses_IsTold_AndLeavesNothing(string key, int status, string answer)
    {
        using var client = await silo.CreateClientAsync();
        await SetKeyAsync(client, "elevenLabs", key);
        var blobs = Blobs();
        Assert.Equal((status, answer), Of(await CloneAsync(client, Sample, ("name", "My voice"))));
        Assert.Equal(blobs, Blobs());
        Assert.Equal(0, (await client.GetAsync("/api/voices?ownership=private")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task TwoClonesOfOneName_AreOne_AndTheOtherIsDeletedAtTheProvider()
    {
        using var client = await silo.CreateClientAsync();
        await SetKeyAsync(client, "cartesia", CloneProviders.Pair);
        var both = await Task.WhenAll(CloneAsync(client, Sample, ("name", "Twin")), CloneAsync(client, Sample, ("name", "twin")));
        Assert.Equal([201, 400], both.Select(reply => reply.Status).Order());
        Assert.Equal("""{"name":["Another voice of your account has this name."]}""", both.Single(reply => reply.Status == 400).Text);
        Assert.Single(silo.Providers.Clones, clone => clone.Value == CloneProviders.Pair);
    }

    [Fact]
    public async Task AnAccount_MayMakeTwoClonesAtOnce_AndOthersDoNotWaitForIt()
    {
        using var client = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        await SetKeyAsync(client, "lmnt", CloneProviders.Held);
        var both = Task.WhenAll(CloneAsync(client, Sample, ("name", "Held 1")), CloneAsync(client, Sample, ("name", "Held 2")));
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel))
        {
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            while (silo.Providers.Requests.Count(r => r.Fields["name"].StartsWith("Held", StringComparison.Ordinal)) < 2) await Task.Delay(10, patience.Token);
        }
        var refused = await CloneAsync(client, Sample, ("name", "Held 3"));
        Assert.Equal((429, """{"detail":"An account may clone 2 voices at once.","code":"throttled"}"""), Of(refused));
        Assert.Equal(201, (await CloneAsync(other, Sample, ("name", "Free"))).Status);
        silo.Providers.Release();
        Assert.All(await both, reply => Assert.Equal(201, reply.Status));
        Assert.DoesNotContain(silo.Providers.Requests, r => r.Fields["name"] == "Held 3");
    }

    [Fact]
    public async Task AnAccount_MayHaveSoManyClones_AndIsToldBeforeItPays()
    {
        using var client = await silo.CreateClientAsync();
        foreach (var name in (string[])["one", "two"]) Assert.Equal(201, (await CloneAsync(client, Sample, ("name", name))).Status);
        var asked = silo.Providers.Requests.Count(r => r.Fields["name"] == "three");
        Assert.Equal((400, """{"non_field_errors":["An account may have 2 cloned voices. Delete one that is no longer used."]}"""), Of(await CloneAsync(client, Sample, ("name", "three"))));
        Assert.Equal(asked, silo.Providers.Requests.Count(r => r.Fields["name"] == "three"));
    }

    [Theory]
    [InlineData("short", """{"file":["The recording must be at least 3 s long; it is 1.0 s."]}""")]
    [InlineData("slow", """{"file":["The recording's sample rate must be at least 8000 Hz; it is 4000 Hz."]}""")]
    [InlineData("silent", """{"file":["The recording is silent."]}""")]
    [InlineData("cut", """{"file":["The WAV file is damaged or incomplete."]}""")]
    [InlineData("text", """{"file":["The file must be WAV or MP3 audio."]}""")]
    [InlineData("empty", """{"file":["The submitted file is empty."]}""")]
    [InlineData("none", """{"file":["No file was submitted."]}""")]
    public async Task WhatIsNoSample_IsRefusedBeforeAnyoneIsAsked(string kind, string problems)
    {
        using var client = await silo.CreateClientAsync();
        await SetKeyAsync(client, "elevenLabs", CloneProviders.Works);
        byte[]? file = kind switch
        {
            "short" => Wav(seconds: 1),
            "slow" => Wav(seconds: 4, rateHz: 4_000),
            "silent" => Wav(seconds: 4, amplitude: 30),
            "cut" => Sample[..30],
            "text" => "not sound at all"u8.ToArray(),
            "empty" => [],
            _ => null,
        };
        Assert.Equal((400, problems), Of(await CloneAsync(client, file, ("name", kind))));
        Assert.DoesNotContain(silo.Providers.Requests, r => r.Fields["name"] == kind);
    }

    [Theory]
    [InlineData("name", "", """{"name":["This field is required."]}""")]
    [InlineData("language", "english please", """{"language":["Ensure this field has no more than 10 characters.","Enter a BCP 47 language code, such as \"en\" or \"pt-BR\"."]}""")]
    [InlineData("voice", "x", """{"voice":["Unknown field."]}""")]
    public async Task WrongFields_400(string field, string value, string problems)
    {
        using var client = await silo.CreateClientAsync();
        (string, string)[] fields = field == "name" ? [("name", value)] : [("name", "My voice"), (field, value)];
        Assert.Equal((400, problems), Of(await CloneAsync(client, Sample, fields)));
    }

    [Fact]
    public async Task AFileThatIsTooLarge_413_AndMp3IsTakenByItsStart()
    {
        using var client = await silo.CreateClientAsync();
        var limit = silo.Services.GetRequiredService<IOptions<OwnVoiceOptions>>().Value.MaxSampleBytes;
        Assert.Equal((413, """{"detail":"The file exceeded the limit of 10485760 bytes.","code":"request_too_large"}"""), Of(await CloneAsync(client, new byte[limit + 1], ("name", "My voice"))));
        var made = await CloneAsync(client, [0xFF, 0xFB, 0x90, 0x64, .. new byte[500]], ("name", "mp3"));
        Assert.Equal(201, made.Status);
        Assert.Equal(("sample.mp3", "audio/mpeg"), silo.Providers.Requests.Where(r => r.Fields["name"] == "mp3").Select(r => (r.FileName, r.ContentType)).Single());
    }

    private async Task<byte[]?> BlobAsync(ApiReply voice)
    {
        await using var blob = silo.Services.GetRequiredService<IBlobStore>().OpenRead($"voices/{Text(voice, "voiceId")}.wav");
        if (blob is null) return null;
        var bytes = new byte[blob.Length];
        await blob.ReadExactlyAsync(bytes, SiloFixture.Cancel);
        return bytes;
    }

    private int Blobs()
    {
        var folder = Path.Combine(silo.Services.GetRequiredService<IOptions<BlobStoreOptions>>().Value.Path, "voices");
        return Directory.Exists(folder) ? Directory.GetFiles(folder).Length : 0;
    }

    private static async Task SetKeyAsync(ApiClient client, string field, string key)
        => Assert.Equal(200, (await client.PatchAsync("/api/accounts/me/tts_api_keys", $$"""{"{{field}}":"{{key}}"}""")).Status);

    internal static async Task<ApiReply> CloneAsync(ApiClient client, byte[]? file, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent();
        if (file is not null) form.Add(new ByteArrayContent(file), "file", "recording.wav");
        foreach (var (name, value) in fields) form.Add(new StringContent(value), name);
        using var reply = await client.Http.PostAsync("/api/voices", form, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }

    internal static byte[] Wav(int seconds, int rateHz = 8_000, int amplitude = 8_000)
    {
        var samples = new short[seconds * rateHz];
        for (var i = 0; i < samples.Length; i++) samples[i] = (short)(amplitude * Math.Sin(i * 0.2));
        using var stream = new MemoryStream();
        var writer = new WavWriter(stream, rateHz, channels: 1);
        writer.WriteAsync(samples, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        writer.FlushAsync(CancellationToken.None).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    private static string PathOf(ApiReply voice) => $"/api/voices/{Text(voice, "voiceId")}";

    private static string Text(ApiReply reply, string field) => reply.Json.GetProperty(field).GetString()!;

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
