using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Catalog;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>A silo without media and without an edge: the grains, their tables and the offline providers.</summary>
internal sealed class CallHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly string _folder;

    private CallHost(IHost host, string folder) => (_host, _folder) = (host, folder);

    public NpgsqlDataSource Database => _host.Services.GetRequiredService<NpgsqlDataSource>();
    public CallStore Store => _host.Services.GetRequiredService<CallStore>();
    public ICallJournal Journal => _host.Services.GetRequiredService<ICallJournal>();
    public LiveCalls LiveCalls => _host.Services.GetRequiredService<LiveCalls>();
    public IServiceProvider Services => _host.Services;
    public IBlobStore Blobs => _host.Services.GetRequiredService<IBlobStore>();

    public static Task<CallHost> StartAsync(
        TestDatabase database, ILanguageModelCatalog? models = null, string grace = "00:00:30", Action<HostApplicationBuilder>? configure = null)
        => StartAsync(database.ConnectionString, models, grace, configure);

    public static async Task<CallHost> StartAsync(
        string connectionString, ILanguageModelCatalog? models = null, string grace = "00:00:30", Action<HostApplicationBuilder>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("voicegrains-test-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = "Testing" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Blobs:Path"] = folder, ["Calls:Summary:RetryDelay"] = "00:00:00.010", ["Calls:Resume:Grace"] = grace });
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Critical);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        builder.Services.AddSingleton(new SecretKey(new byte[32]));
        builder.Services.AddGrainRuntime();
        builder.Services.AddVoiceGrains();
        builder.Services.AddBlobStore();
        builder.Services.AddVoiceProviders(builder.Configuration);
        if (models is not null) builder.Services.Replace(ServiceDescriptor.Singleton(models));
        configure?.Invoke(builder);
        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new CallHost(host, folder);
    }

    public Task<CallPast> PastAsync(CallSnapshot call) => _host.Services.GetRequiredService<CallPastReader>().ReadAsync(call, TestContext.Current.CancellationToken);

    public ICallGrain Call(string callId) => _host.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
