using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Silo;
using VoiceGrains.Tests.Shared;

[assembly: AssemblyFixture(typeof(SiloFixture))]

namespace VoiceGrains.Server.Tests.Hosting;

/// <summary>
/// A whole silo in this process: the program's own services on a loopback port, with a database of its own. Tests share it, each with an account
/// of its own from <see cref="CreateClientAsync"/>.
/// </summary>
public sealed class SiloFixture : IAsyncLifetime
{
    private TestDatabase? database;
    private WebApplication? app;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public IServiceProvider Services => app!.Services;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        app = await StartAsync(database);
        Address = AddressOf(app);
    }

    /// <summary>Starts another silo on a database, for tests that restart one or need settings of their own.</summary>
    internal static Task<WebApplication> StartAsync(TestDatabase database, params (string Key, string Value)[] settings) => StartAsync(database, static _ => { }, settings);

    /// <param name="configure">Changes what the silo is made of.</param>
    internal static async Task<WebApplication> StartAsync(TestDatabase database, Action<IServiceCollection> configure, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Testing" });
        var folder = Directory.CreateTempSubdirectory("voicegrains-test-").FullName;
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Blobs:Path"] = folder,
            ["Logging:LogLevel:Default"] = "Warning",
            ["Voices:Target"] = "scripted",   // every voice, whatever engines the machine has
            ["Recognizers:Default"] = "scripted",
            ["Calls:Resume:Grace"] = "00:00:01",
            ["Conversation:RecognitionTimeout"] = "00:01:00",   // a busy machine recognizes slowly
            ["Providers:pocketsphinx:FinishTimeout"] = "00:01:00",
            ["Gateway:RequestsPerSecondPerKey"] = "0",   // tests ask faster than people do
            ["Gateway:AnonymousRequestsPerSecond"] = "0",
            ["WebRtc:Port"] = "0",
            ["Accounts:Plans:two_calls:ConcurrentCalls"] = "2",
            ["Accounts:Plans:three_a_minute:CallsPerMinute"] = "3",
            ["Accounts:Plans:one_minute:IncludedMinutes"] = "1",
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddConsole();
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(database.ConnectionString));
        builder.Services.AddSingleton(new SecretKey(new byte[32]));
        builder.AddSilo();
        configure(builder.Services);
        var app = builder.Build();
        app.MapSilo();
        app.Lifetime.ApplicationStopped.Register(() => Directory.Delete(folder, recursive: true));
        await app.StartAsync();
        return app;
    }

    internal static Uri AddressOf(WebApplication app)
        => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>A new account with a key of its own.</summary>
    public Task<ApiClient> CreateClientAsync(string plan = AccountSetup.SelfHostedPlan) => CreateClientAsync(app!, plan);

    /// <inheritdoc cref="CreateClientAsync(string)"/>
    internal static async Task<ApiClient> CreateClientAsync(WebApplication app, string plan = AccountSetup.SelfHostedPlan)
    {
        var accounts = app.Services.GetRequiredService<AccountStore>();
        var account = await accounts.CreateAsync("Test", plan, Cancel);
        var key = await accounts.CreateKeyAsync(account.AccountId, "test", null, Cancel);
        return new(AddressOf(app), account, key.Text);
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        if (database is not null) await database.DisposeAsync();
    }
}

/// <summary>One account's view of the API.</summary>
public sealed class ApiClient : IDisposable
{
    public ApiClient(Uri address, Account account, string key)
    {
        (Account, Key) = (account, key);
        Http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(100) };
        Http.DefaultRequestHeaders.Add("X-API-Key", key);
    }

    public Account Account { get; }
    public string Key { get; }
    public HttpClient Http { get; }

    /// <summary>Sends JSON text as it is, and reads the answer's status and JSON.</summary>
    public async Task<ApiReply> SendAsync(HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var reply = await Http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }

    public Task<ApiReply> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<ApiReply> PostAsync(string path, object body) => SendAsync(HttpMethod.Post, path, body as string ?? JsonSerializer.Serialize(body));

    public Task<ApiReply> PatchAsync(string path, object body) => SendAsync(HttpMethod.Patch, path, body as string ?? JsonSerializer.Serialize(body));

    public Task<ApiReply> PutAsync(string path, object body) => SendAsync(HttpMethod.Put, path, body as string ?? JsonSerializer.Serialize(body));

    public Task<ApiReply> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public void Dispose() => Http.Dispose();
}

/// <summary>Status and body of an answer.</summary>
/// <param name="Json">Undefined when there is no JSON body.</param>
public sealed record ApiReply(int Status, JsonElement Json, HttpResponseHeaders Headers)
{
    public string Text => Json.ValueKind == JsonValueKind.Undefined ? "" : JsonSerializer.Serialize(Json, GrainInterfaces.WireJson.Options);

    public static async Task<ApiReply> ReadAsync(HttpResponseMessage reply)
    {
        var isJson = reply.Content.Headers.ContentType?.MediaType == "application/json";
        return new((int)reply.StatusCode, isJson ? await reply.Content.ReadFromJsonAsync<JsonElement>(SiloFixture.Cancel) : default, reply.Headers);
    }
}
