using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Silo.Launch;

/// <summary>TCP ports that nobody listens on just now.</summary>
internal static class FreePorts
{
    /// <summary>Different ones: all are held until the last is found.</summary>
    public static int[] Take(int count)
    {
        var listeners = new List<TcpListener>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var listener = new TcpListener(IPAddress.Loopback, 0);
                listeners.Add(listener);
                listener.Start();
            }
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
