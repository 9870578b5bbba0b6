using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Silo.Launch;

/// <summary>TCP ports of 127.0.0.1 for servers whose port others must know before they listen.</summary>
internal static class FreePorts
{
    private const int First = 10_000;
    private const int Attempts = 1_000;

    /// <summary>Whoever asks the system for any port, for a connection also, gets one from here on. Below it nobody takes by chance what was free a moment ago.</summary>
    private static readonly int End = FirstOfTheSystem();

    /// <summary>Different ones that nobody listens on just now: all are held until the last is found.</summary>
    /// <exception cref="SocketException">None can be found.</exception>
    public static int[] Take(int count)
    {
        var listeners = new List<TcpListener>();
        try
        {
            for (var attempt = 1; listeners.Count < count; attempt++)
            {
                var listener = new TcpListener(IPAddress.Loopback, End - First < Attempts ? 0 : Random.Shared.Next(First, End));
                try
                {
                    listener.Start();
                    listeners.Add(listener);
                }
                catch (SocketException) when (attempt < Attempts)
                {
                    listener.Dispose();     // taken
                }
            }
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    private static int FirstOfTheSystem()
    {
        const int usual = 32_768;
        try
        {
            return int.TryParse(File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t', ' ')[0], out var first) ? first : usual;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return usual;
        }
    }
}
