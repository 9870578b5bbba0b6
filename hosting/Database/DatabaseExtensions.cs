using System.Data.Common;
using Npgsql;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Hosting.Database;

/// <summary>The one connection pool of a process.</summary>
public static class DatabaseExtensions
{
    /// <summary>Seconds to connect. The driver's own 15 would be what a client waits for its 503.</summary>
    private const int ConnectSeconds = 3;

    /// <summary>Seconds for a statement. The driver's own 30 are more than a client waits.</summary>
    private const int CommandSeconds = 5;

    /// <summary>Milliseconds to wait for the server's word that a statement is cancelled, before its connection is given up.</summary>
    private const int CancellationMilliseconds = 500;

    /// <summary>
    /// Registers an <see cref="NpgsqlDataSource"/> whose connections notice soon that the server is away, and keep their prepared statements. Whatever the connection
    /// string itself sets holds.
    /// </summary>
    /// <exception cref="LaunchException">It is no connection string.</exception>
    public static IServiceCollection AddDatabase(this IServiceCollection services, string connectionString)
    {
        var settings = ReadSettings(connectionString);
        return services.AddSingleton(_ => NpgsqlDataSource.Create(settings));
    }

    /// <summary>Its message is not passed on: it may hold a part of the string, and so of a password.</summary>
    private static string ReadSettings(string connectionString)
    {
        try
        {
            return WithDefaults(connectionString);
        }
        catch (Exception mistake) when (mistake is ArgumentException or FormatException or InvalidCastException)
        {
            throw new LaunchException("ConnectionStrings:VoiceGrains is no connection string such as 'Host=db.example.com;Username=voicegrains;Password=...;Database=voicegrains'.", inner: mistake);
        }
    }

    internal static string WithDefaults(string connectionString)
    {
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!IsSet("Timeout")) settings.Timeout = ConnectSeconds;
        if (!IsSet("Command Timeout", "CommandTimeout")) settings.CommandTimeout = CommandSeconds;
        if (!IsSet("Cancellation Timeout", "CancellationTimeout")) settings.CancellationTimeout = CancellationMilliseconds;
        // Nothing here leaves anything behind in a session, and to wipe it before each use cost a fifth of a short query.
        if (!IsSet("No Reset On Close", "NoResetOnClose")) settings.NoResetOnClose = true;
        if (!IsSet("Tcp Keepalive", "TcpKeepalive") && settings.Host?.StartsWith('/') == false)
            (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, 10_000, 2_000);     // idle ones that a firewall forgot
        return settings.ConnectionString;

        bool IsSet(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
                if (given.ContainsKey(name)) return true;
            return false;
        }
    }
}
