using System.Net;
using System.Text;
using System.Text.Json;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Voices;

public sealed class VoiceEndpointTests(SiloFixture silo)
{
    [Fact]
    public async Task Voices_AreListedPageByPage_AsDescribed()
    {
        using var client = await silo.CreateClientAsync();
        var names = new List<string>();
        for (var path = "/api/voices?pageSize=20"; path is not null;)
        {
            var page = await client.GetAsync(path);
            Assert.Equal(200, page.Status);
            await OpenApiContract.AssertMatchesAsync("PaginatedVoiceList", page.Json);
            names.AddRange(page.Json.GetProperty("results").EnumerateArray().Select(v => v.GetProperty("name").GetString()!));
            Assert.Equal(page.Json.GetProperty("total").GetInt32(), (await client.GetAsync("/api/voices")).Json.GetProperty("total").GetInt32());
            path = page.Json.GetProperty("next").GetString();
        }
        Assert.Equal(names.Distinct().Order(StringComparer.OrdinalIgnoreCase), names);
        Assert.Contains("Mark", names);
    }

    [Theory]
    [InlineData("ownership=private", 0)]
    [InlineData("billingStyle=VOICE_BILLING_STYLE_EXTERNAL", 0)]
    [InlineData("search=MARK", 1)]
    [InlineData("provider=lmnt&provider=inworld", 0)]
    public async Task Filters_Narrow(string query, int expected)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal(expected, (await client.GetAsync($"/api/voices?{query}")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task PrimaryLanguage_PutsExactMatchesFirst_AndOtherRegionsAfter()
    {
        using var client = await silo.CreateClientAsync();
        var languages = (await client.GetAsync("/api/voices?primaryLanguage=en-GB&pageSize=100")).Json.GetProperty("results").EnumerateArray()
            .Select(v => v.GetProperty("primaryLanguage").GetString()!).ToList();
        Assert.Equal("en-GB", languages[0]);
        Assert.Contains("en-US", languages);
        Assert.Equal(languages.OrderBy(l => l == "en-GB" ? 0 : 1), languages);
        Assert.All(languages, l => Assert.StartsWith("en", l));
    }

    [Theory]
    [InlineData("ownership=mine", """{"ownership":["\"mine\" is not a valid choice."]}""")]
    [InlineData("provider=acme", """{"provider":["\"acme\" is not a valid choice."]}""")]
    [InlineData("pageSize=0", """{"pageSize":["A positive integer is required."]}""")]
    [InlineData("pageSize=ten", """{"pageSize":["A positive integer is required."]}""")]
    [InlineData("search=a&search=b", """{"search":["May be given only once."]}""")]
    public async Task WrongFilters_400(string query, string problems)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.GetAsync($"/api/voices?{query}");
        Assert.Equal((400, problems), (reply.Status, reply.Text));
    }

    [Fact]
    public async Task AVoice_AndItsPreview()
    {
        using var client = await silo.CreateClientAsync();
        var mark = (await client.GetAsync("/api/voices?search=mark")).Json.GetProperty("results")[0];
        var path = $"/api/voices/{mark.GetProperty("voiceId").GetString()}";
        var reply = await client.GetAsync(path);
        await OpenApiContract.AssertMatchesAsync("Voice", reply.Json);
        Assert.Equal(mark.GetRawText(), reply.Json.GetRawText());

        using var preview = await client.Http.GetAsync(reply.Json.GetProperty("previewUrl").GetString(), SiloFixture.Cancel);
        Assert.Equal((HttpStatusCode.OK, "audio/wav"), (preview.StatusCode, preview.Content.Headers.ContentType?.MediaType));
        var wav = await preview.Content.ReadAsByteArrayAsync(SiloFixture.Cancel);
        Assert.Equal("RIFF", Encoding.ASCII.GetString(wav, 0, 4));
        Assert.True(wav.Length > 40_000, $"{wav.Length} bytes are no sentence");
        Assert.Equal(404, (await client.GetAsync($"/api/voices/{Guid.NewGuid()}")).Status);
        Assert.Equal(404, (await client.GetAsync($"/api/voices/{Guid.NewGuid()}/preview")).Status);
    }

    [Theory]
    [InlineData("""{"name":"x"}""", """{"definition":["This field is required."]}""")]
    [InlineData("""{"name":"x","definition":{}}""",
        """{"definition":{"non_field_errors":["One of 'elevenLabs', 'cartesia', 'lmnt', 'google', 'inworld', 'respeecher' and 'generic' must be set."]}}""")]
    [InlineData("""{"name":"x","definition":{"elevenLabs":{"voiceId":"v"}}}""", """{"definition":{"elevenLabs":["The account has no API key for ElevenLabs. Set one with PATCH /api/accounts/me/tts_api_keys."]}}""")]
    [InlineData("""{"name":"x","definition":{"generic":{"url":"gopher://a","body":{"t":"{text}"}}}}""", """{"definition":{"generic":{"url":["Enter a valid URL (https or http)."]}}}""")]
    [InlineData("""{"name":"x","definition":{"generic":{"url":"https://a.example","body":{}}}}""", """{"definition":{"generic":{"body":["Some string in it must hold the placeholder {text}."]}}}""")]
    public async Task TryingOutAWrongVoice_400(string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/voice_preview", body);
        Assert.Equal((400, problems), (reply.Status, reply.Text));
    }

    [Fact]
    public async Task TryingOutAVoiceInsideTheNetwork_IsRefused()
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/voice_preview", """{"name":"x","definition":{"generic":{"url":"http://127.0.0.1:9/speak","body":{"t":"{text}"},"responseSampleRate":24000}}}""");
        Assert.Equal(400, reply.Status);
        Assert.Equal(JsonValueKind.Array, reply.Json.GetProperty("definition").GetProperty("generic").GetProperty("url").ValueKind);
    }

    [Fact]
    public async Task Models_AreListed_TheDefaultFirst()
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.GetAsync("/api/models?pageSize=2");
        await OpenApiContract.AssertMatchesAsync("PaginatedModelAliasList", reply.Json);
        Assert.Equal("ultravox-v0.7", reply.Json.GetProperty("results")[0].GetProperty("name").GetString());
        var next = await client.GetAsync(reply.Json.GetProperty("next").GetString()!);
        var back = await client.GetAsync(next.Json.GetProperty("previous").GetString()!);
        Assert.Equal(reply.Json.GetProperty("results").GetRawText(), back.Json.GetProperty("results").GetRawText());
        Assert.Equal(JsonValueKind.Null, back.Json.GetProperty("previous").ValueKind);
    }

    [Fact]
    public async Task TheAccount_IsDescribed()
    {
        using var client = await silo.CreateClientAsync();
        await OpenApiContract.AssertMatchesAsync("Account", (await client.GetAsync("/api/accounts/me")).Json);
    }
}
