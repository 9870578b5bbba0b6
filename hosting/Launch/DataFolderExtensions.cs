using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection.Extensions;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Hosting.Launch;

/// <summary>What every program of the platform starts with: where it listens and where it keeps things.</summary>
public static class DataFolderExtensions
{
    /// <summary>
    /// Decides the address, locks the data folder and registers <see cref="SecretKey"/>, <see cref="DataFolder"/> and <see cref="LaunchOptions"/>.
    /// </summary>
    /// <param name="builder">Of the program.</param>
    /// <param name="options">Where.</param>
    /// <param name="isAlone">Whether this is the whole server: then it makes the administrator's token, where none is configured. Members of a cluster must share one.</param>
    /// <exception cref="LaunchException">Something that the person at the terminal must mend.</exception>
    public static WebApplicationBuilder AddDataFolder(this WebApplicationBuilder builder, LaunchOptions options, bool isAlone = false)
    {
        if (options.IsAddressStated || string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
        {
            RequireFreePort(options);
            builder.WebHost.UseUrls(options.Url);
        }
        var folder = DataFolder.Open(options.Data);
        var adminToken = isAlone && string.IsNullOrEmpty(builder.Configuration["Admin:Token"]) ? folder.ReadOrCreateAdminToken() : folder.ReadAdminToken();
        // Lowest of all sources: whatever the operator states wins.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = [new("Blobs:Path", Path.Combine(options.Data, "blobs")), new("Admin:Token", adminToken)] });
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(_ => folder);      // by factory: the container disposes it, which gives up the lock
        builder.Services.AddSingleton(new SecretKey(folder.ReadOrCreateSecretKey()));
        builder.Services.TryAddSingleton(TimeProvider.System);
        return builder;
    }

    /// <summary>Asked before anything is started: the usual mistake, a second silo on the same port, gets its answer at once.</summary>
    /// <exception cref="LaunchException">The port is in use, or the address is not this machine's.</exception>
    public static void RequireFreePort(LaunchOptions options)
    {
        var address = IPAddress.TryParse(options.Bind, out var ip) ? ip : options.Bind == "localhost" ? IPAddress.Loopback : IPAddress.Any;
        try
        {
            using var probe = new TcpListener(address, options.Port);
            probe.Start();
        }
        catch (SocketException refused)
        {
            throw new LaunchException($"Cannot listen on {options.Url}: {refused.Message}. Choose another port with --port.", inner: refused);
        }
    }
}
