using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Tests.Fakes.Voices;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

public sealed class ExternalVoiceCatalogTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheCatalog_SpeaksAtTheConfiguredPlaceAndMeasuresByTheContractsName()
    {
        await using var server = await FakeElevenLabs.StartNewAsync();
        await using var services = Build(("ExternalVoices:ElevenLabs:BaseUrl", server.Url), ("ExternalVoices:ElevenLabs:DefaultModel", "eleven_x"));
        var factory = services.GetRequiredService<IMeterFactory>();
        var providers = new List<string?>();
        using var meters = new MeterListener { InstrumentPublished = (i, l) => { if (i.Meter.Scope == factory && i.Name.EndsWith("requests", StringComparison.Ordinal)) l.EnableMeasurementEvents(i); } };
        meters.SetMeasurementEventCallback<long>((_, _, tags, _) => providers.Add(tags.ToArray().Single(t => t.Key == "provider").Value as string));
        meters.Start();

        var voice = services.GetRequiredService<IVoiceCatalog>().CreateExternal(new ElevenLabsVoiceDefinition { VoiceId = "v" }, server.Key);
        Assert.NotEmpty(await voice.SynthesizeAsync(new("ignored", 16_000), SpeechAsserts.Pieces("Yes."), Cancel).ToListAsync(Cancel));
        Assert.Equal(["eleven_labs"], providers);
        Assert.Contains("model_id=eleven_x", server.Sessions.Single().Address, StringComparison.Ordinal);
    }

    [Fact]
    public void AllMistakes_AreReportedTogether()
    {
        using var services = Build(
            ("ExternalVoices:ElevenLabs:BaseUrl", "ftp://x"), ("ExternalVoices:Cartesia:StallTimeout", "00:00:00"), ("ExternalVoices:Lmnt:MaxMessageBytes", "5"), ("ExternalVoices:Lmnt:BaseUrl", "wss://x?a=b"));
        var problems = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<ExternalVoiceOptions>>().Value).Failures.ToList();
        Assert.Equal(
            ["ExternalVoices:ElevenLabs:BaseUrl must be", "ExternalVoices:Cartesia:StallTimeout must be", "ExternalVoices:Lmnt:BaseUrl must be", "ExternalVoices:Lmnt:MaxMessageBytes must be"],
            problems.Select(p => p[..(p.IndexOf("must be", StringComparison.Ordinal) + "must be".Length)]));
    }

    [Fact]
    public void AnUnknownSetting_IsAMistake()
    {
        using var services = Build(("ExternalVoices:Lmnt:Speed", "3"));
        Assert.Contains("Speed", Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IOptions<ExternalVoiceOptions>>().Value).Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Build(params (string Key, string Value)[] settings)
        => new ServiceCollection()
            .AddVoiceProviders(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value))).Build())
            .BuildServiceProvider();
}
