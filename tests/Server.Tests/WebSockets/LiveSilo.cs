using Microsoft.AspNetCore.Builder;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Tests.Fakes.Voices;
using VoiceGrains.Tests.Shared;

[assembly: AssemblyFixture(typeof(LiveSilo))]

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>
/// A silo for conversations over real sockets. Its voices and its recognizer are scripted, exact and cheap; calls in English (<c>languageHint</c> "en")
/// are heard by pocketsphinx, and the voice <see cref="Speaker"/> is flite's. Providers that fail come by <see cref="FakeProviders"/>, models that say and do
/// what a test wants by <see cref="ScriptedChat"/>. Tools may be on 127.0.0.1.
/// </summary>
public sealed class LiveSilo : IAsyncLifetime
{
    /// <summary>A voice of the embedded speech engine.</summary>
    public const string Speaker = "Speaker";

    private readonly FakeProviders providers = new();
    private readonly ScriptedChat chat = new();
    private readonly FakeElevenLabs elevenLabs = new();
    private readonly FakeCartesia cartesia = new() { Fault = FakeVoiceFault.QuotaExceeded };
    private readonly FakeInworld inworld = new() { Fault = FakeVoiceFault.BreaksMidMessage };
    private TestDatabase? database;
    private WebApplication? app;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public IServiceProvider Services => app!.Services;

    /// <summary>The model of calls that name <see cref="ScriptedChat.Model"/>.</summary>
    internal ScriptedChat Chat => chat;

    /// <summary>The provider of accounts' voices at ElevenLabs.</summary>
    internal FakeElevenLabs ElevenLabs => elevenLabs;

    /// <summary>Has no quota left.</summary>
    internal FakeCartesia Cartesia => cartesia;

    /// <summary>Breaks off in the middle of each sentence.</summary>
    internal FakeInworld Inworld => inworld;

    internal FakeProviders Providers => providers;

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        await providers.StartAsync();
        await chat.StartAsync();
        await elevenLabs.StartAsync();
        await cartesia.StartAsync();
        await inworld.StartAsync();
        app = await SiloFixture.StartAsync(database,
        [
            ("Recognizers:Languages:en", "pocketsphinx"),
            ($"Voices:Add:{Speaker}:Target", "flite"),
            ($"Voices:Add:{Speaker}:Voice", "slt"),
            .. providers.Settings,
            .. chat.Settings,
            ("ExternalVoices:ElevenLabs:BaseUrl", elevenLabs.Url),
            ("ExternalVoices:Cartesia:BaseUrl", cartesia.Url),
            ("ExternalVoices:Inworld:BaseUrl", inworld.Url),
            ("Gateway:RequestsPerSecondPerAccount", "0"),       // tests ask faster than people do
            ("WebRtc:LeaveGrace", "00:00:30"),                  // browsers load a page again slowly on a busy machine
            ("Outbound:AllowedNetworks:0", "127.0.0.1/32"),     // tests' own tool servers
        ]);
        Address = SiloFixture.AddressOf(app);
    }

    /// <summary>A new account with a key of its own.</summary>
    public Task<ApiClient> CreateClientAsync() => SiloFixture.CreateClientAsync(app!);

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        await providers.DisposeAsync();
        await chat.DisposeAsync();
        await elevenLabs.DisposeAsync();
        await cartesia.DisposeAsync();
        await inworld.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
    }
}
