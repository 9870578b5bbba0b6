using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>The voice of a call that begins while the database does not answer.</summary>
public sealed class CallVoicesTests : IAsyncDisposable
{
    private readonly ServiceProvider _providers;
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Database=none");
    private readonly ProviderKeyStore _keys;
    private readonly CallVoices _voices;

    public CallVoicesTests()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Voices:Target"] = "scripted" }).Build();
        _providers = new ServiceCollection().AddVoiceProviders(configuration).BuildServiceProvider();
        var (secret, options) = (new SecretKey(new byte[32]), Options.Create(new OwnVoiceOptions()));
        _keys = new ProviderKeyStore(_database, secret, TimeProvider.System, NullLogger<ProviderKeyStore>.Instance);
        var own = new AccountVoices(Catalog, new VoiceStore(_database, new SealedJson(secret), options), _keys, _providers.GetRequiredService<OutboundGuard>(), options);
        _voices = new CallVoices(own, TimeProvider.System, NullLogger<CallVoices>.Instance);
    }

    [Fact]
    public async Task TheDefaultVoice_NeedsNoDatabase()
    {
        var found = await ResolveAsync(new StageSettings { CallStageId = "s", Model = "m" });
        Assert.Equal((NameOf(Catalog.Default.Name), null, null), (found.Voice.Voice, found.Fallback, found.Problem));
    }

    [Fact]
    public async Task AVoiceOfTheServers_SpeaksAllTheSame()
    {
        var found = await ResolveAsync(new StageSettings { CallStageId = "s", Model = "m", Voice = "Jessica", LanguageHint = "en" });
        Assert.Equal((NameOf("Jessica"), "en", "The voice could not be looked up. The server's voice of this name speaks."), (found.Voice.Voice, found.Voice.LanguageHint, found.Problem));
        Assert.Equal(NameOf(Catalog.Default.Name), found.Fallback!.Voice);
    }

    [Theory]
    [InlineData("Anna", null)]
    [InlineData(null, "v")]
    public async Task AnythingElse_IsSpokenByTheDefaultVoice(string? voice, string? externalId)
    {
        var external = externalId is null ? null : ExternalVoices.Of(TtsProvider.Lmnt, new() { ["voiceId"] = externalId });
        var found = await ResolveAsync(new StageSettings { CallStageId = "s", Model = "m", Voice = voice, ExternalVoice = external });
        Assert.Equal((NameOf(Catalog.Default.Name), "The voice could not be looked up. Another voice speaks instead."), (found.Voice.Voice, found.Problem));
    }

    public async ValueTask DisposeAsync()
    {
        _keys.Dispose();
        await _database.DisposeAsync();
        await _providers.DisposeAsync();
    }

    private IVoiceCatalog Catalog => _providers.GetRequiredService<IVoiceCatalog>();

    private string NameOf(string voice) => Catalog.TryResolve(voice, out var found) ? found.ProviderVoice : throw new InvalidOperationException(voice);

    private Task<CallVoice> ResolveAsync(StageSettings stage) => _voices.ResolveAsync("account", stage, TestContext.Current.CancellationToken);
}
