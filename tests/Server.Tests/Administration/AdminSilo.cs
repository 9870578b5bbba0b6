using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VoiceGrains.Cli;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Administration;

/// <summary>A silo with an administrator, whose log is kept.</summary>
public sealed class AdminSilo : IAsyncLifetime
{
    public const string Token = "a-token-of-an-administrator-0123456789";

    private TestDatabase _database = null!;
    private WebApplication _app = null!;

    public IServiceProvider Services => _app.Services;
    public Uri Address => SiloFixture.AddressOf(_app);
    internal LogKeeper Logs { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        _app = await SiloFixture.StartAsync(_database, ("Admin:Token", Token), ("Logging:LogLevel:VoiceGrains", "Information"), ("Logging:Console:LogLevel:Default", "Warning"));
        _app.Services.GetRequiredService<ILoggerFactory>().AddProvider(Logs);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>Asks as the administrator, or with another header in place of the token.</summary>
    public async Task<ApiReply> SendAsync(string method, string path, string? json = null, (string Name, string Value)? header = null)
    {
        using var http = new HttpClient { BaseAddress = Address };
        using var request = new HttpRequestMessage(new(method), path);
        var (name, value) = header ?? ("Authorization", "Bearer " + Token);
        if (name.Length > 0) request.Headers.TryAddWithoutValidation(name, value);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var reply = await http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }

    public async Task<string> GetTextAsync(string path)
    {
        using var http = new HttpClient { BaseAddress = Address };
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + Token);
        return await http.GetStringAsync(path, SiloFixture.Cancel);
    }

    /// <summary>A new account, with a client of its first key.</summary>
    public async Task<ApiClient> CreateAccountAsync(string name = "Acme")
    {
        var made = (await SendAsync("POST", "/admin/accounts", $$"""{"name":"{{name}}"}""")).Json;
        var account = new Account { AccountId = made.GetProperty("account").GetProperty("accountId").GetGuid(), Name = name, Plan = "self_hosted" };
        return new ApiClient(Address, account, made.GetProperty("apiKey").GetProperty("secret").GetString()!);
    }

    /// <summary>Runs <c>vg</c> on this silo.</summary>
    internal async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        var (output, error) = (new MemoryStream(), new StringWriter());
        var exitCode = await CommandLine.RunAsync([.. args, "--url", Address.ToString(), "--admin-token", Token], output, error, SiloFixture.Cancel);
        return (exitCode, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}

[CollectionDefinition]
public sealed class AdminCollection : ICollectionFixture<AdminSilo>;
