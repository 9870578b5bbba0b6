using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Synthesis.Espeak;
using VoiceGrains.Providers.Tests.Synthesis;

namespace VoiceGrains.Providers.Tests.Catalog;

public sealed class CatalogTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null, "ultravox-v0.7")]
    [InlineData("", "ultravox-v0.7")]
    [InlineData("fixie-ai/ultravox", "fixie-ai/ultravox")]
    [InlineData("ULTRAVOX-v0.6-llama3.3-70b", "ultravox-v0.6-llama3.3-70b")]
    public void DocumentedModels_LeadToRulesByDefault(string? asked, string alias)
    {
        var models = Build().GetRequiredService<ILanguageModelCatalog>();
        Assert.True(models.TryResolve(asked, out var model));
        Assert.Equal((alias, "rules", "rules"), (model.Alias, model.Provider, model.ModelName));
        Assert.Contains(alias, models.Aliases);
        Assert.Equal("ultravox-v0.7", models.Aliases[0]);
    }

    [Fact]
    public void AnUnknownModelOrVoice_IsNotFound()
    {
        var services = Build();
        Assert.False(services.GetRequiredService<ILanguageModelCatalog>().TryResolve("gpt-9", out _));
        Assert.False(services.GetRequiredService<IVoiceCatalog>().TryResolve("Nobody", out _));
    }

    [Fact]
    public void Configuration_MovesAliasesAndAddsNewOnes()
    {
        var models = Build(("Models:Target", "scripted"), ("Models:Aliases:mine", "rules"), ("Models:Default", "mine")).GetRequiredService<ILanguageModelCatalog>();
        Assert.True(models.TryResolve("ultravox-v0.7", out var documented));
        Assert.True(models.TryResolve(null, out var byDefault));
        Assert.Equal(("scripted", "rules", "mine"), (documented.Provider, byDefault.Provider, byDefault.Alias));
    }

    [Fact]
    public void VoiceIds_NeverChange()
    {
        var voices = Build().GetRequiredService<IVoiceCatalog>();
        Assert.Equal("Mark", voices.Default.Name);
        Assert.Equal(
            ["Mark c21d2938-fbdf-56ac-a537-ea5b1622c275", "Jessica b781dfd9-8bc3-58dd-9eab-97e04ade564b", "Espeak-German d41beee3-5b3d-5d24-80ce-04558f24217b"],
            new[] { "Mark", "Jessica", "Espeak-German" }.Select(n => $"{n} {voices.Voices.Single(v => v.Name == n).VoiceId}"));
    }

    [Fact]
    public void Voices_HaveUniqueNamesAndFitTheApi()
    {
        var voices = Build().GetRequiredService<IVoiceCatalog>().Voices;
        Assert.True(voices.Count > 50);
        Assert.Equal(voices.Count, voices.Select(v => v.Name.ToUpperInvariant()).Distinct().Count());
        Assert.Equal(voices.Count, voices.Select(v => v.VoiceId).Distinct().Count());
        Assert.All(voices, v => Assert.True(v.Name.Length <= 40 && v.Description!.Length <= 240 && v.PrimaryLanguage!.Length <= 10, v.Name));
        Assert.Equal("🇺🇸 English (United States)", voices.Single(v => v.Name == "Jessica").LanguageLabel);
    }

    [Theory]
    [InlineData(null, null, "Mark")]
    [InlineData(null, "en-GB", "Mark")]
    [InlineData(null, "de-AT", "Espeak-German Mark")]
    [InlineData(null, "es-MX", "Espeak-Spanish-Mexico Mark")]
    [InlineData(null, "tlh", "Mark")]
    [InlineData("Jessica", null, "Jessica Mark")]
    [InlineData("Jessica", "de", "Espeak-German Jessica Mark")]
    [InlineData("Anyone", "de", "Anyone Mark")]
    [InlineData("Own-German", "de", "Own-German Mark")]
    public void Fallbacks_SpeakTheCallsLanguage_WhereThereIsAVoice(string? configured, string? hint, string expected)
    {
        var voices = Build(
            ("Voices:Target", "scripted"), ("Voices:Fallback", configured!), ("Voices:Add:Anyone:Target", "scripted"),
            ("Voices:Add:Own-German:Target", "scripted"), ("Voices:Add:Own-German:Language", "de-DE")).GetRequiredService<IVoiceCatalog>();
        Assert.Equal(expected, string.Join(' ', voices.Fallbacks(hint).Select(v => v.Voice.Name)));
    }

    [Fact]
    public void AVoice_IsFoundByNameAndId_AndSpokenByItsEngine()
    {
        var voices = Build(Speech).GetRequiredService<IVoiceCatalog>();
        Assert.True(voices.TryResolve("jessica", out var byName));
        Assert.True(voices.TryResolve(byName.Voice.VoiceId.ToString().ToUpperInvariant(), out var byId));
        Assert.Equal(byName.Voice, byId.Voice);
        Assert.Equal("slt", byId.ProviderVoice);
        Assert.Same(byName.Synthesizer, byId.Synthesizer);
    }

    [Theory]
    [InlineData("Mark")]
    [InlineData("Jessica")]
    [InlineData("Alan-English-Scottish")]
    [InlineData("Kal-English")]
    public async Task ABuiltInVoice_ReallySpeaks(string name)
    {
        await using var services = Build();
        Assert.SkipUnless(services.GetRequiredService<IVoiceCatalog>().TryResolve(name, out var voice), "flite is not installed.");
        var chunks = await voice!.Synthesizer.SynthesizeAsync(new(voice.ProviderVoice, 16_000), SpeechAsserts.Pieces("Hello there."), Cancel).ToListAsync(Cancel);
        Assert.InRange(chunks.Sum(c => (double)c.Pcm.Length / c.SampleRateHz), 0.3, 3);
        Assert.Equal(["Hello", "there."], chunks.SelectMany(c => c.Words).Select(w => "Hello there."[w.TextStart..w.TextEnd]));
    }

    [Fact]
    public async Task EveryEspeakVoice_ExistsInTheInstallation()
    {
        await using var engine = new EspeakSynthesizer(new(), NullLoggerFactory.Instance);
        Assert.SkipUnless(engine.IsAvailable(out var why), why);
        await using var services = Build();
        var voices = services.GetRequiredService<IVoiceCatalog>();
        var spoken = voices.Voices.Where(v => v.Provider == "espeak").ToList();
        Assert.True(spoken.Count > 50);
        foreach (var (name, language) in spoken.Select(v => (v.Name, v.PrimaryLanguage)))
        {
            Assert.True(voices.TryResolve(name, out var voice));
            var text = language == "he" ? "שלום עולם." : "1 2 3.";   // espeak-ng has no Hebrew numbers
            var chunks = await voice.Synthesizer.SynthesizeAsync(new(voice.ProviderVoice, 16_000), SpeechAsserts.Pieces(text), Cancel).ToListAsync(Cancel);
            Assert.True(chunks.Sum(c => c.Pcm.Length) > 2_000, name);
        }
    }

    [Fact]
    public async Task WarmingUp_NeedsNoRecognizer()
    {
        await using var services = Build(("Recognizers:Default", "scripted"));
        var warmUp = Assert.Single(services.GetServices<IHostedService>());
        await warmUp.StartAsync(Cancel);
        await warmUp.StopAsync(Cancel);
    }

    [Fact]
    public void AConfiguredVoice_ReplacesABuiltInOneAndKeepsItsId()
    {
        var plain = Build().GetRequiredService<IVoiceCatalog>().Default;
        var voices = Build(("Voices:Add:Mark:Target", "scripted"), ("Voices:Add:Mark:Voice", "x")).GetRequiredService<IVoiceCatalog>();
        Assert.True(voices.TryResolve(null, out var mark));
        Assert.Equal((plain.VoiceId, "x", "scripted", plain.Description), (mark.Voice.VoiceId, mark.ProviderVoice, mark.Voice.Provider, mark.Voice.Description));
    }

    [Theory]
    [InlineData("de", "german")]
    [InlineData("DE-at", "german")]
    [InlineData("den", "plain")]
    [InlineData(null, "plain")]
    public void ARecognizer_IsChosenByLanguage(string? language, string provider)
    {
        var recognizers = Build(
            ("Providers:german:Type", "scripted"), ("Providers:plain:Type", "scripted"), ("Recognizers:Default", "plain"), ("Recognizers:Languages:de", "german"))
            .GetRequiredService<IRecognizerCatalog>();
        Assert.True(recognizers.TryResolve(language, out var found));
        Assert.Equal(provider, found.Provider);
    }

    [Fact]
    public void AllMistakes_AreReportedTogether()
    {
        var services = Build(
            ("Providers:odd:Type", "abacus"), ("Providers:scripted:Wpm", "3"), ("Providers:rules:WordDelay", "soon"), ("Models:Target", "nowhere"), ("Models:Default", "none"),
            ("Recognizers:Default", "rules"), ("Voices:Default", "Nobody"), ("Voices:Add:X:Target", ""));
        var problems = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<ProviderSettings>>().Value).Failures.ToList();
        string[] expected = ["Providers:odd:Type 'abacus'", "Providers:scripted:Wpm is not", "Providers:rules:WordDelay", "Models:Target names the provider 'nowhere'",
            "Models:Default 'none'", "Recognizers:Default names the provider 'rules', which is of type Rules", "Voices:Default 'Nobody'", "Voices:Add:X:Target names the provider ''"];
        Assert.All(expected, e => Assert.Contains(problems, p => p.Contains(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, problems.Count);
    }

    private static readonly (string, string) Speech = ("Providers:flite:Type", "scripted");   // no native library needed

    private static ServiceProvider Build(params (string Key, string Value)[] settings)
        => new ServiceCollection()
            .AddVoiceProviders(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build())
            .BuildServiceProvider();
}
