"""World, drone, camera and the flight loop; knows nothing of networks or scenario files."""
